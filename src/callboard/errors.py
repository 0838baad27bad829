"""Every exception Callboard raises on purpose.

The tree, so that one ``except`` clause can be as wide or as narrow as wanted::

    CallboardError
    ├── BadHandlerError      TypeError     something that is no handler was given as one
    ├── BadCallbacksError    TypeError     callbacks that are neither handlers nor a manager
    ├── BadTagsError         TypeError     tags that are not a list of strings
    ├── BadInputError        TypeError     a model's prompts or messages that are not lists of them
    ├── BadKeywordsError     TypeError     an event told what its run tells already
    ├── BadMetadataError     TypeError     metadata that is not a dictionary
    ├── WrongColourError     TypeError     an async manager in place of a sync one, or the reverse
    ├── UnknownEventError    ValueError    an event name that nobody can hear
    ├── BadEventError        ValueError    a custom event dispatched with arguments it can't carry
    ├── BadOptionError       ValueError    an option with a value that is not accepted
    ├── NoParentRunError     RuntimeError  a custom event dispatched outside of any run
    ├── ClosedHandlerError   RuntimeError  a handler used after it was closed
    └── InstallError         RuntimeError  ``callboard.langchain.install()`` can't do its work

Each also derives from the built-in exception beside it, which is what the original system
raises in that place, so that code written for it keeps working.
"""

from __future__ import annotations

__all__ = [
    "BadCallbacksError",
    "BadEventError",
    "BadHandlerError",
    "BadInputError",
    "BadKeywordsError",
    "BadMetadataError",
    "BadOptionError",
    "BadTagsError",
    "CallboardError",
    "ClosedHandlerError",
    "InstallError",
    "NoParentRunError",
    "UnknownEventError",
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


class BadKeywordsError(CallboardError, TypeError):
    """An event is given a keyword that its run tells handlers already, such as ``tags``."""


class BadMetadataError(CallboardError, TypeError):
    """Metadata is not a dictionary."""


class WrongColourError(CallboardError, TypeError):
    """An async manager was given where a sync one is needed, or the reverse."""


class UnknownEventError(CallboardError, ValueError):
    """No event has that name and none of the handlers has a method for it."""


class BadEventError(CallboardError, ValueError):
    """A custom event was dispatched with arguments that it can't carry."""


class BadOptionError(CallboardError, ValueError):
    """An option has a value that is not accepted."""


class NoParentRunError(CallboardError, RuntimeError):
    """A custom event was dispatched where no run is under way."""


class ClosedHandlerError(CallboardError, RuntimeError):
    """A handler was asked to write after it had been closed."""


class InstallError(CallboardError, RuntimeError):
    """Callboard can't be put in LangChain's place, or not any more."""
