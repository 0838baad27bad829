"""Door: names of ``langchain_core.tracers.root_listeners``."""

from callboard.tracing.listeners import (
    AsyncListener,
    AsyncRootListenersTracer,
    Listener,
    RootListenersTracer,
)

__all__ = ["AsyncListener", "AsyncRootListenersTracer", "Listener", "RootListenersTracer"]
