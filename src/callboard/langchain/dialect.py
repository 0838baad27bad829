"""What runs, and complaints about them, are made as where Callboard is in LangChain's place."""

from langchain_core.exceptions import TracerException

from callboard.errors import UnknownRunError
from callboard.langchain.runs import LangChainRun
from callboard.tracing.dialect import Dialect

__all__ = ["LANGCHAIN", "LangChainUnknownRunError"]


class LangChainUnknownRunError(UnknownRunError, TracerException):
    """A tracer heard an event of a run that it does not know to be running."""


LANGCHAIN = Dialect(run=LangChainRun, unknown_run=LangChainUnknownRunError)
"""Runs and errors that are Callboard's and LangChain's at once."""
