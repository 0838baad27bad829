"""``callboard run``: start a Python program with Callboard in LangChain's place.

The program's code is left alone. It finds what it would find under ``python PROGRAM`` or
``python -m MODULE``: its arguments, its path, its ``__main__``; and ends with the same status.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec
from pathlib import Path
from pkgutil import get_importer
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

from callboard.errors import BadOptionError

__all__ = ["add_to"]


def add_to(commands: Any) -> None:
    """Add the command to a parser's."""
    parser = commands.add_parser(
        "run",
        help="run a Python program with Callboard in LangChain's place",
        description="Run a Python program, unchanged, with Callboard's callbacks and tracers in "
        "the place of LangChain's.",
        usage="callboard run [-h] (SCRIPT | -m MODULE) [ARGUMENT ...]",
    )
    parser.add_argument(
        "-m", dest="module", metavar="MODULE", nargs=argparse.REMAINDER, help="run a module"
    )
    parser.add_argument(
        "script", metavar="SCRIPT", nargs=argparse.REMAINDER, help="a file, directory or zip file"
    )
    parser.set_defaults(run=_run, ends_as_python=True)


class _NotFoundError(Exception):
    """There is no such program; Python's own exit status for that is the second argument."""


class _Program(NamedTuple):
    """A program, found but not yet read.

    Attributes:
        name: What its loader knows it by.
        loader: Has its code.
        origin: Its file.
        spec: Its module's, if it was found as one.
    """

    name: str
    loader: Any
    origin: str
    spec: ModuleSpec | None = None

    def code(self) -> Any:
        """Return the program, compiled."""
        if isinstance(self.loader, SourceFileLoader) and self.spec is None:
            # As Python does, no bytecode is kept of a script.
            source = self.loader.get_data(self.origin)
            return self.loader.source_to_code(source, self.origin)
        return self.loader.get_code(self.name)


def _run(told: argparse.Namespace) -> int:
    from callboard.langchain import install

    words = [*(told.module or ()), *told.script]
    if words[:1] == ["--"]:
        del words[0]
    if not words:
        raise BadOptionError("callboard run needs a program: a SCRIPT, or -m MODULE.")
    install()
    find = _find_script if told.module is None else _find_module
    sys.argv[:] = words if told.module is None else ["-m", *words[1:]]
    try:
        program = find(words[0])
    except _NotFoundError as error:
        said, status = error.args
        print(f"callboard: {said}", file=sys.stderr)
        return int(status)
    if told.module is not None:
        sys.argv[0] = program.origin
    return _execute(program)


def _look_first_in(directory: str) -> None:
    """Put a directory where Python has put that of ``callboard`` itself, if it did."""
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _find_script(given: str) -> _Program:
    path = str(Path(given).absolute())
    importer = get_importer(path)
    if importer is not None:  # A directory, or a zip file.
        sys.path.insert(0, path) if sys.flags.safe_path else _look_first_in(path)
        spec = importer.find_spec("__main__", None)
        if spec is None:
            raise _NotFoundError(f"There is no __main__ module in {given}.", 1)
        return _Program("__main__", spec.loader, str(spec.origin), spec)
    if not Path(path).is_file():
        raise _NotFoundError(f"There is no file {given}.", 2)
    _look_first_in(str(Path(path).resolve().parent))
    kind = SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader
    return _Program("__main__", kind("__main__", path), path)


def _find_module(name: str) -> _Program:
    _look_first_in(os.getcwd())  # noqa: PTH109 - as text, which sys.path takes
    spec = _spec_of(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name = f"{name}.__main__"
        spec = _spec_of(name)
    if spec is None or not spec.has_location:
        raise _NotFoundError(f"There is no module {name} to run.", 1)
    return _Program(name, spec.loader, str(spec.origin), spec)


def _spec_of(name: str) -> ModuleSpec | None:
    """Find a module; what it is inside of is imported, and may fail as it does."""
    try:
        return find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _execute(program: _Program) -> int:
    """Run a program as the main module, which it stays: threads may outlive this.

    An exit and an interrupt are the interpreter's to handle. Other exceptions are shown here, as
    the interpreter would, without the frames that led to the program.
    """
    main = ModuleType("__main__")
    spec = program.spec
    vars(main).update(
        __file__=program.origin,
        __cached__=None if spec is None else spec.cached,
        __loader__=program.loader,
        __package__=None if spec is None else spec.parent,
        __spec__=spec,
        __builtins__=sys.modules["builtins"],
    )
    sys.modules["__main__"] = main
    try:
        exec(program.code(), vars(main))  # noqa: S102 - this is what it is for
    except Exception as error:  # noqa: BLE001 - whatever the program raises
        sys.excepthook(type(error), error, _trim(error, main))
        return 1
    return 0


def _trim(error: Exception, main: ModuleType) -> TracebackType | None:
    """Take the frames before the program's first out of an exception's traceback."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is not vars(main):
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    return traceback
