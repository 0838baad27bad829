"""Putting Callboard's modules in the place of LangChain's, and taking them away again."""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib import metadata
from types import ModuleType

from callboard.callbacks.surroundings import Surroundings, surround_with
from callboard.errors import InstallError
from callboard.langchain.surroundings import LangChainSurroundings

__all__ = ["TESTED_VERSIONS", "install", "installed", "uninstall"]

TESTED_VERSIONS = ("1.7.2",)
"""The releases of langchain-core that Callboard's tests have been run with."""

# LangChain's modules, each with ours for it.
_IN_PLACE_OF = {
    "langchain_core.callbacks": "callboard.langchain.callbacks",
    "langchain_core.callbacks.base": "callboard.callbacks.base",
    "langchain_core.callbacks.file": "callboard.callbacks.file",
    "langchain_core.callbacks.manager": "callboard.callbacks.manager",
    "langchain_core.callbacks.stdout": "callboard.callbacks.stdout",
    "langchain_core.callbacks.streaming_stdout": "callboard.callbacks.streaming_stdout",
    "langchain_core.callbacks.usage": "callboard.callbacks.usage",
}

_surroundings_before: Surroundings | None = None


def installed() -> bool:
    """Whether Callboard is in LangChain's place."""
    return _surroundings_before is not None


def install() -> None:
    """Put Callboard's callbacks in the place of LangChain's, for the whole process.

    Call it before anything imports LangChain: who has imported a class already keeps it.
    Calling it again does nothing.

    Raises:
        InstallError: LangChain is not installed, or has been imported already.
    """
    global _surroundings_before
    if installed():
        return
    package = _langchain_core()
    _refuse_if_loaded()
    for theirs, ours in _IN_PLACE_OF.items():
        sys.modules[theirs] = importlib.import_module(ours)
    # What the import system would have done, had it imported them.
    vars(package)["callbacks"] = sys.modules["langchain_core.callbacks"]
    _surroundings_before = surround_with(LangChainSurroundings())


def uninstall() -> None:
    """Give LangChain its own callbacks back, for those who import them from now on.

    This is for tests. Whoever imported Callboard's meanwhile, LangChain's own modules first of
    all, keeps them; only a new process is as if nothing had been installed.
    """
    global _surroundings_before
    if _surroundings_before is None:
        return
    for theirs in _IN_PLACE_OF:
        sys.modules.pop(theirs, None)
    vars(_langchain_core()).pop("callbacks", None)
    surround_with(_surroundings_before)
    _surroundings_before = None


def _langchain_core() -> ModuleType:
    try:
        package = importlib.import_module("langchain_core")
        version = metadata.version("langchain-core")
    except ImportError as error:
        raise InstallError(
            "callboard.langchain.install() needs LangChain: pip install 'callboard[langchain]'."
        ) from error
    if version not in TESTED_VERSIONS and not installed():
        warnings.warn(
            f"Callboard has been tested with langchain-core {', '.join(TESTED_VERSIONS)}, "
            f"not with {version}, which is installed.",
            stacklevel=3,
        )
    return package


def _refuse_if_loaded() -> None:
    loaded = [name for name in _IN_PLACE_OF if name in sys.modules]
    if loaded:
        raise InstallError(
            f"callboard.langchain.install() is called too late: {loaded[0]} has been imported "
            "already. Call it at the top of your program, before the first import of langchain, "
            "langgraph or anything that imports them."
        )
