"""Export: from run operations to wherever they are kept, without slowing or breaking the host.

    exporter = Exporter(HttpSink("http://127.0.0.1:1984", key), spool=Spool("~/.cache/traces"))
    exporter.submit(operation)
    exporter.flush(timeout=5)

`Exporter` takes operations and sends them from a thread of its own; a sink
(`callboard.export.sinks.base`) is where they go, and `open_sink` makes the one that an endpoint
means; a `Spool` is where they wait on disk when they can't go there. `Counters` tell what became of
each.
"""

from __future__ import annotations

from callboard.export.counters import Counters
from callboard.export.exporter import Exporter
from callboard.export.lifecycle import flush_all, shutdown_all
from callboard.export.live import LiveCounters
from callboard.export.signals import install_signal_handlers
from callboard.export.sinks.base import Limits, Sink
from callboard.export.sinks.http import HttpSink
from callboard.export.sinks.memory import MemorySink
from callboard.export.sinks.schemes import open_sink, register_sink
from callboard.export.spool.spool import Spool

__all__ = [
    "Counters",
    "Exporter",
    "HttpSink",
    "Limits",
    "LiveCounters",
    "MemorySink",
    "Sink",
    "Spool",
    "flush_all",
    "install_signal_handlers",
    "open_sink",
    "register_sink",
    "shutdown_all",
]
