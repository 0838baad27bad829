"""Door: names of ``langchain_core.tracers._streaming``."""

from callboard.tracing.streaming import (
    ProtocolStreamingCallbackHandler as _V2StreamingCallbackHandler,
)
from callboard.tracing.streaming import StreamingCallbackHandler as _StreamingCallbackHandler

__all__ = ["_StreamingCallbackHandler", "_V2StreamingCallbackHandler"]
