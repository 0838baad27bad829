"""Door: names of ``langchain_core.tracers.memory_stream``."""

from callboard.tracing.memory_stream import MemoryStream as _MemoryStream
from callboard.tracing.memory_stream import ReceiveStream as _ReceiveStream
from callboard.tracing.memory_stream import SendStream as _SendStream
from callboard.tracing.memory_stream import close_loop_quietly as _close_loop_quietly
from callboard.tracing.memory_stream import get_or_create_loop as _get_or_create_loop

__all__ = [
    "_MemoryStream",
    "_ReceiveStream",
    "_SendStream",
    "_close_loop_quietly",
    "_get_or_create_loop",
]
