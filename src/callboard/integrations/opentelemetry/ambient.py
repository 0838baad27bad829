"""The ambient span: what other instrumentations take for the parent of theirs.

A tool's HTTP requests belong under the tool. So a run in which the application's own code runs is
made the current span where it starts, and the one around it is put back where it ends. Calls of
models are not: a stream's run ends when the stream does, wherever that is read to its end.

No token is kept to reset, for runs need not end in the order, or in the task, in which they start:
at its end a run's span is replaced, if it is still the current one, by the next one around it
that has not ended.
"""

from __future__ import annotations

from opentelemetry import context, trace
from opentelemetry.context import Context

__all__ = ["Ambient", "surrounding_context"]

_KEY = "callboard.ambient"


class Ambient:
    """A run's span, and how it is the current one.

    Attributes:
        span: The span.
    """

    __slots__ = ("_around", "_ended", "span")

    def __init__(self, span: trace.Span) -> None:
        """Begin with a span that is not current yet."""
        self.span = span
        self._ended = False
        self._around: Context | None = None

    def attach(self) -> None:
        """Make the span the current one, in this thread or task."""
        self._around = surrounding_context()
        context.attach(
            context.set_value(_KEY, self, trace.set_span_in_context(self.span, self._around))
        )

    def detach(self) -> None:
        """Put the next span around it in its place, if it is the current one here."""
        self._ended = True
        if self._around is not None and trace.get_current_span() is self.span:
            context.attach(surrounding_context())

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
