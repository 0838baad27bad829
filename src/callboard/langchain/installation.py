"""Putting Callboard's modules in the place of LangChain's, and taking them away again."""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from callboard.callbacks.surroundings import Surroundings, surround_with
from callboard.errors import InstallError
from callboard.langchain.surroundings import LangChainSurroundings
from callboard.tracing.dialect import Dialect, speak

__all__ = ["TESTED_VERSIONS", "install", "installed", "uninstall"]

TESTED_VERSIONS = ("1.7.2", "1.7.7", "1.8.2")
"""The releases of langchain-core that Callboard's tests have been run with."""

# LangChain's modules, each with ours for it. Those of its packages' modules that are not here
# stay its own, on top of ours.
IN_PLACE_OF = {
    "langchain_core.callbacks": "callboard.langchain.callbacks",
    "langchain_core.callbacks.base": "callboard.callbacks.base",
    "langchain_core.callbacks.file": "callboard.callbacks.file",
    "langchain_core.callbacks.manager": "callboard.callbacks.manager",
    "langchain_core.callbacks.stdout": "callboard.callbacks.stdout",
    "langchain_core.callbacks.streaming_stdout": "callboard.callbacks.streaming_stdout",
    "langchain_core.callbacks.usage": "callboard.callbacks.usage",
    "langchain_core.tracers": "callboard.langchain.tracers",
    "langchain_core.tracers._compat": "callboard.tracers._compat",
    "langchain_core.tracers._streaming": "callboard.tracers._streaming",
    "langchain_core.tracers.base": "callboard.langchain.tracers.base",
    "langchain_core.tracers.context": "callboard.langchain.tracers.context",
    "langchain_core.tracers.core": "callboard.tracers.core",
    "langchain_core.tracers.evaluation": "callboard.langchain.tracers.evaluation",
    "langchain_core.tracers.event_stream": "callboard.tracers.event_stream",
    "langchain_core.tracers.langchain": "callboard.langchain.tracers.langchain",
    "langchain_core.tracers.log_stream": "callboard.tracers.log_stream",
    "langchain_core.tracers.memory_stream": "callboard.tracers.memory_stream",
    "langchain_core.tracers.root_listeners": "callboard.tracers.root_listeners",
    "langchain_core.tracers.run_collector": "callboard.tracers.run_collector",
    "langchain_core.tracers.schemas": "callboard.langchain.tracers.schemas",
    "langchain_core.tracers.stdout": "callboard.tracers.stdout",
}
_PACKAGES = ("langchain_core.callbacks", "langchain_core.tracers")
_PREFIXES = tuple(f"{name}." for name in _PACKAGES)


class _Before(NamedTuple):
    """What was in force before, to be put back."""

    surroundings: Surroundings
    dialect: Dialect


_before: _Before | None = None


def installed() -> bool:
    """Whether Callboard is in LangChain's place."""
    return _before is not None


def install() -> None:
    """Put Callboard's callbacks and tracers in the place of LangChain's, for the whole process.

    Call it before anything imports LangChain: who has imported a class already keeps it.
    Calling it again does nothing.

    Raises:
        InstallError: LangChain is not installed, too old, or has been imported already.
    """
    global _before
    if installed():
        return
    package = _langchain_core()
    _refuse_if_loaded()
    modules, spoken = _ours()
    for theirs, module in modules.items():
        _put_in_place(
            theirs, _package_of(package, theirs, module) if theirs in _PACKAGES else module
        )
    _client().stand_in()
    _before = _Before(surround_with(LangChainSurroundings()), speak(spoken))


def uninstall() -> None:
    """Give LangChain its own modules back, for those who import them from now on.

    This is for tests. Whoever imported Callboard's meanwhile, LangChain's own modules first of
    all, keeps them; only a new process is as if nothing had been installed.
    """
    global _before
    if _before is None:
        return
    for name in [each for each in sys.modules if f"{each}.".startswith(_PREFIXES)]:
        del sys.modules[name]
    for name in _PACKAGES:
        vars(_langchain_core()).pop(name.rpartition(".")[2], None)
    _client().stand_down()
    surround_with(_before.surroundings)
    speak(_before.dialect)
    _before = None


def _ours() -> tuple[dict[str, ModuleType], Dialect]:
    """Return our modules by the names of LangChain's, and what runs are made as."""
    try:
        modules = {theirs: importlib.import_module(ours) for theirs, ours in IN_PLACE_OF.items()}
        spoken: Dialect = importlib.import_module("callboard.langchain.dialect").LANGCHAIN
    except ImportError as error:
        raise InstallError(
            f"callboard.langchain.install() needs a newer langchain-core or langsmith ({error}): "
            "pip install --upgrade 'callboard[langchain]'."
        ) from error
    return modules, spoken


def _client() -> Any:
    return importlib.import_module("callboard.langchain.client")


def _package_of(parent: ModuleType, name: str, door: ModuleType) -> ModuleType:
    """Make a package that has what a door announces, and finds in the original's what is not ours.

    It has the original's name, as by that the import system looks for what is inside it.
    """
    package = ModuleType(name, door.__doc__)
    spec = ModuleSpec(name, None, is_package=True)
    leaf = name.rpartition(".")[2]
    spec.submodule_search_locations = [str(Path(each) / leaf) for each in parent.__path__]
    vars(package).update(
        __spec__=spec,
        __path__=spec.submodule_search_locations,
        __all__=door.__all__,
        __getattr__=door.__getattr__,
        __dir__=door.__dir__,
    )
    return package


def _put_in_place(theirs: str, ours: ModuleType) -> None:
    """Do what the import system would have done, had it imported a module itself."""
    sys.modules[theirs] = ours
    package, _, name = theirs.rpartition(".")
    vars(sys.modules[package])[name] = ours


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
    loaded = [name for name in IN_PLACE_OF if name in sys.modules]
    if loaded:
        raise InstallError(
            f"callboard.langchain.install() is called too late: {loaded[0]} has been imported "
            "already. Call it at the top of your program, before the first import of langchain, "
            "langgraph or anything that imports them. In a notebook, restart the kernel first."
        )
