"""What runs and complaints about them are made as.

Alone, Callboard makes its own `Run` and raises its own errors. Where it stands in LangChain's
place, code around it expects LangChain's: `callboard.langchain` then has ones made that are
both.
"""

from __future__ import annotations

from dataclasses import dataclass

from callboard.errors import UnknownRunError
from callboard.tracing.run import Run

__all__ = ["Dialect", "dialect", "speak"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The classes that tracers make things of.

    Attributes:
        run: What a run is made as.
        unknown_run: What is raised for an event of a run that nobody started.
    """

    run: type[Run] = Run
    unknown_run: type[UnknownRunError] = UnknownRunError


_dialect = Dialect()


def dialect() -> Dialect:
    """Return the classes in force."""
    return _dialect


def speak(new: Dialect) -> Dialect:
    """Put other classes in force, for the whole process and the runs that start from now on.

    Returns:
        Those that were in force, to be put back.
    """
    global _dialect
    before, _dialect = _dialect, new
    return before
