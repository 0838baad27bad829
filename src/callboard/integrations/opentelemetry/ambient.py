"""The ambient span: what other instrumentations take for the parent of theirs.

A tool's HTTP requests belong under the tool. So a run in which the application's own code runs is
the current span from its start to its end. Calls of models are not: a stream's run ends when the
stream does, wherever that is read to its end.

A run may end in another task than the one it started in, which can't put back what was current
there before. So what is made current is not the run's span but a stand-in, which from the run's
end on stands for the span around it: wherever it is still held, it does no harm.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, INVALID_SPAN_CONTEXT, NonRecordingSpan, Span

__all__ = ["Ambient", "surrounding_context"]

_KEY = "callboard.ambient"


class Ambient:
    """A run's span, and how it is the current one.

    Attributes:
        span: The span.
    """

    __slots__ = ("_around", "_ended", "span")

    def __init__(self, span: Span) -> None:
        """Begin with a span that is not current yet."""
        self.span = span
        self._ended = False
        self._around: Context | None = None

    def attach(self) -> None:
        """Make the span the current one, in this thread or task."""
        self._around = surrounding_context()
        inside = trace.set_span_in_context(_StandIn(self), self._around)
        context.attach(context.set_value(_KEY, self, inside))

    def detach(self) -> None:
        """Have the span around it be the current one again, wherever this one is."""
        self._ended = True
        if self._around is not None and context.get_value(_KEY) is self:
            context.attach(surrounding_context())

    def current(self) -> Span:
        """Return the span; once it has ended, the one around it."""
        if not self._ended:
            return self.span
        return INVALID_SPAN if self._around is None else trace.get_current_span(self._around)

    def without_ended(self, own: Context) -> Context:
        """Return the context in which it is current, or if it has ended the next one around it."""
        if not self._ended or self._around is None:
            return own
        outer = context.get_value(_KEY, self._around)
        return outer.without_ended(self._around) if isinstance(outer, Ambient) else self._around


def surrounding_context() -> Context:
    """Return the context of this thread or task, without runs in it that have ended."""
    current = context.get_current()
    innermost = context.get_value(_KEY, current)
    return innermost.without_ended(current) if isinstance(innermost, Ambient) else current


class _StandIn(NonRecordingSpan):
    """Stands for a run's span while it runs, and for the one around it after that."""

    def __init__(self, ambient: Ambient) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.ambient = ambient

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ambient.current(), name)  # What the SDK's spans have beyond the API's.


def _delegated(name: str) -> Any:
    def method(self: _StandIn, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.ambient.current(), name)(*args, **kwargs)

    return method


for _name in (
    "add_event",
    "add_link",
    "end",
    "get_span_context",
    "is_recording",
    "record_exception",
    "set_attribute",
    "set_attributes",
    "set_status",
    "update_name",
):
    setattr(_StandIn, _name, _delegated(_name))
