"""Every exception Callboard raises on purpose.

The tree, so that one ``except`` clause can be as wide or as narrow as wanted::

    CallboardError
    ├── BadHandlerError      TypeError     something that is no handler was given as one
    ├── BadCallbacksError    TypeError     callbacks that are neither handlers nor a manager
    ├── BadTagsError         TypeError     tags that are not a list of strings
    ├── BadInputError        TypeError     a model's prompts or messages that are not lists of them
    ├── BadCallError         TypeError     a call to stream that can't be awaited or iterated over
    ├── BadKeywordsError     TypeError     an event told what its run tells already
    ├── BadMetadataError     TypeError     metadata that is not a dictionary
    ├── WrongColourError     TypeError     an async manager in place of a sync one, or the reverse
    ├── UnknownEventError    ValueError    an event name that nobody can hear
    ├── BadEvaluationError   TypeError     an evaluator that returned no result
    ├── BadEventError        ValueError    a custom event dispatched with arguments it can't carry
    ├── BadOptionError       ValueError    an option with a value that is not accepted
    ├── BadParentError       ValueError    a run that is said to be inside itself
    ├── BadPatchError        ValueError    a JSON patch that is none, or does not fit its document
    ├── NoTracedRunError     ValueError    a tracer asked about its last trace, which has none
    ├── NoParentRunError     RuntimeError  a custom event dispatched outside of any run
    ├── ClosedHandlerError   RuntimeError  a handler used after it was closed
    ├── StreamInUseError     RuntimeError  a stream read by two tasks at once
    ├── UnknownRunError      LookupError   an event of a run whose start was not heard
    ├── FilterError          ValueError    a filter that can't be read, and where
    ├── RunFailedError       RuntimeError  what handlers hear of a run that was ended with a text
    ├── BadBodyError         ValueError    a body that is not in the form of the wire protocol
    │   └── BodyTooLargeError              a body over one of the limits set for it
    ├── MissingExtraError    ImportError   a package is needed that is not installed
    ├── NotBuiltError        ImportError   a handler of LangChain's that is not there
    ├── AlertNotTakenError   RuntimeError  an alert that was not taken where it was sent
    ├── RefusedError         RuntimeError  a call that was refused before it was made
    │   ├── HumanRejectedException         a person would not have a tool run
    │   └── LimitError                     a limit set for model calls is reached
    │       ├── BudgetSpentError           no more may be spent
    │       └── RateLimitError             not so many at once
    ├── SinkError            RuntimeError  a sink did not take operations
    │   ├── SinkUnavailableError           it can't take them now, and may later
    │   ├── KeyRefusedError                the key is missing or not accepted
    │   ├── BatchTooLargeError             they are more than it takes at once
    │   └── BatchRejectedError             it will never take them
    ├── SpoolError           OSError       the spool can't be written or read
    ├── BoardError           RuntimeError  the board's server can't do what it is asked to
    │   ├── BoardInUseError                another server has its file
    │   ├── PortTakenError                 it can't listen where it is told to
    │   ├── BoardOverloadedError           more waits to be written than may
    │   └── BoardClosedError               it is shutting down
    ├── StoreError           OSError       a store can't do what it is asked to
    │   ├── StoreFullError                 there is no room
    │   ├── StoreUnavailableError          its file can't be read or written, now at least
    │   └── StoreFormatError               its file is no store, damaged, or of a newer version
    ├── NameTakenError       ValueError    a name that something else of its kind has
    └── InstallError         RuntimeError  ``callboard.langchain.install()`` can't do its work

Each also derives from the built-in exception beside it, which is what the original system
raises in that place, so that code written for it keeps working.
"""

from __future__ import annotations

__all__ = [
    "AlertNotTakenError",
    "BadBodyError",
    "BadCallError",
    "BadCallbacksError",
    "BadEvaluationError",
    "BadEventError",
    "BadHandlerError",
    "BadInputError",
    "BadKeywordsError",
    "BadMetadataError",
    "BadOptionError",
    "BadParentError",
    "BadPatchError",
    "BadTagsError",
    "BatchRejectedError",
    "BatchTooLargeError",
    "BoardClosedError",
    "BoardError",
    "BoardInUseError",
    "BoardOverloadedError",
    "BodyTooLargeError",
    "BudgetSpentError",
    "CallboardError",
    "ClosedHandlerError",
    "FilterError",
    "HumanRejectedException",
    "InstallError",
    "KeyRefusedError",
    "LimitError",
    "MissingExtraError",
    "NameTakenError",
    "NoParentRunError",
    "NoTracedRunError",
    "NotBuiltError",
    "PortTakenError",
    "RateLimitError",
    "RefusedError",
    "RunFailedError",
    "SinkError",
    "SinkUnavailableError",
    "SpoolError",
    "StoreError",
    "StoreFormatError",
    "StoreFullError",
    "StoreUnavailableError",
    "StreamInUseError",
    "UnknownEventError",
    "UnknownRunError",
    "WrongColourError",
]


class CallboardError(Exception):
    """Base of every exception that Callboard raises on purpose."""


class BadHandlerError(CallboardError, TypeError):
    """Something that can't hear any event was given as a handler."""


class BadCallbacksError(CallboardError, TypeError):
    """Callbacks are neither a list of handlers, nor a callback manager, nor None."""


class BadTagsError(CallboardError, TypeError):
    """Tags are not a list of strings."""


class BadInputError(CallboardError, TypeError):
    """What a model is given is one prompt or one conversation where a list of them is taken."""


class BadCallError(CallboardError, TypeError):
    """A call whose events are wanted can be neither awaited nor iterated over."""


class BadKeywordsError(CallboardError, TypeError):
    """An event is given a keyword that its run tells handlers already, such as ``tags``."""


class BadMetadataError(CallboardError, TypeError):
    """Metadata is not a dictionary."""


class WrongColourError(CallboardError, TypeError):
    """An async manager was given where a sync one is needed, or the reverse."""


class UnknownEventError(CallboardError, ValueError):
    """No event has that name and none of the handlers has a method for it."""


class UnknownRunError(CallboardError, LookupError):
    """A tracer heard an event of a run that it does not know to be running."""


class FilterError(CallboardError, ValueError):
    """A filter can't be read: see `callboard.query`.

    Attributes:
        text: The filter, as it was given.
        column: Where in it, counted in characters from 1.
    """

    def __init__(self, message: str, text: str = "", column: int = 1) -> None:
        super().__init__(message)
        self.text = text
        self.column = column

    @property
    def pointer(self) -> str:
        """The part of the filter around the column, and a line with a caret below that."""
        start = max(0, self.column - 1 - _POINTER_REACH)
        shown = self.text[start : self.column - 1 + _POINTER_REACH]
        line = "".join(each if each.isprintable() else " " for each in shown)
        return f"{line}\n{' ' * (self.column - 1 - start)}^"


_POINTER_REACH = 50


class BadBodyError(CallboardError, ValueError):
    """A body, or a part of one, is not in the form of the wire protocol."""


class BodyTooLargeError(BadBodyError):
    """A body is over one of the limits set for it; half of it might not be."""


class MissingExtraError(CallboardError, ImportError):
    """What is wanted needs a package that is not installed."""


class NotBuiltError(CallboardError, ImportError):
    """A handler of LangChain's that is not, or not here: the message says what to use, or where."""


class RefusedError(CallboardError, RuntimeError):
    """A call was refused before it was made, by what was asked whether it may be.

    A handler that raises it with ``raise_error`` set has done its work: nothing is logged.
    """


class HumanRejectedException(RefusedError):  # noqa: N818 - its name has always been that
    """A person, or what decides for one, would not have a tool run.

    Attributes:
        tool: The tool's name.
        reason: Why, if that was said.
        tool_call_id: The model's call that the tool was to answer, if it is known.
    """

    def __init__(
        self, message: str, *, tool: str = "", reason: str = "", tool_call_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.tool = tool
        self.reason = reason
        self.tool_call_id = tool_call_id


class LimitError(RefusedError):
    """A limit that the application set for its model calls is reached: this one was not made."""


class BudgetSpentError(LimitError):
    """A model call is refused, for what may be spent has been."""


class RateLimitError(LimitError):
    """A model call is refused, for there were as many as there may be at once.

    Attributes:
        retry_after: In how many seconds it would be let through, if nobody else is.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadEvaluationError(CallboardError, TypeError):
    """An evaluator returned something that is no result."""


class BadEventError(CallboardError, ValueError):
    """A custom event was dispatched with arguments that it can't carry."""


class BadOptionError(CallboardError, ValueError):
    """An option has a value that is not accepted."""


class BadParentError(CallboardError, ValueError):
    """A run is said to be inside itself: its id has been used twice."""


class BadPatchError(CallboardError, ValueError):
    """A JSON patch is none, or does not fit the document that it is applied to."""


class NoTracedRunError(CallboardError, ValueError):
    """A tracer is asked about its last trace and has none."""


class RunFailedError(CallboardError, RuntimeError):
    """A run was ended with a text for an error: handlers hear this, and nobody raises it."""


class NoParentRunError(CallboardError, RuntimeError):
    """A custom event was dispatched where no run is under way."""


class ClosedHandlerError(CallboardError, RuntimeError):
    """A handler was asked to write after it had been closed."""


class StreamInUseError(CallboardError, RuntimeError):
    """A stream is read by a task while another one is reading it."""


class InstallError(CallboardError, RuntimeError):
    """Callboard can't be put in LangChain's place, or not any more."""


class AlertNotTakenError(CallboardError, RuntimeError):
    """An alert was not taken where it was sent: see `callboard.integrations.alerts`.

    Attributes:
        retry_after: In how many seconds to try again, if that was said.
        is_final: Whether to try again won't help.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, is_final: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_final = is_final


class SinkError(CallboardError, RuntimeError):
    """A sink did not take operations."""


class SinkUnavailableError(SinkError):
    """A sink can't take operations now, and may later.

    Attributes:
        retry_after: In how many seconds it wants to be asked again, if it said so.
        suspicious: Whether these very operations may be the reason, and others would be taken.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, suspicious: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.suspicious = suspicious


class KeyRefusedError(SinkError):
    """A sink takes operations only with a key, and not with the one it got."""


class BatchTooLargeError(SinkError):
    """A sink takes fewer operations, or smaller ones, at once."""


class BatchRejectedError(SinkError):
    """A sink will never take these operations, however often they are sent."""


class SpoolError(CallboardError, OSError):
    """The spool can't be written or read."""


class BoardError(CallboardError, RuntimeError):
    """The board's server can't do what it is asked to."""


class BoardInUseError(BoardError):
    """Another server has the file: two would not know what the other has in mind."""


class PortTakenError(BoardError):
    """The server can't listen at the address and port that it is told to."""


class BoardOverloadedError(BoardError):
    """More waits to be written than may: try again in a second."""


class BoardClosedError(BoardError):
    """The server is shutting down."""


class StoreError(CallboardError, OSError):
    """A store can't do what it is asked to, for a reason outside the program."""


class StoreFullError(StoreError):
    """There is no room for more; what was to be written was not, and can be once there is."""


class StoreUnavailableError(StoreError):
    """A store's file can't be read or written; it can be tried again."""


class StoreFormatError(StoreError):
    """A file is no store, is damaged, or was written by a newer version."""


class NameTakenError(CallboardError, ValueError):
    """Something else of its kind has the name."""
