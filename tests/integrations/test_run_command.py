"""``callboard run``: programs find what ``python`` has them find, and Callboard in place."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROBE = """
import sys, __main__
spec = __spec__ and (__spec__.name, __spec__.origin)
print(__name__, __file__, __package__, spec, type(__loader__).__name__, __doc__, __cached__)
print(sys.argv, sys.path[0], __main__.__dict__ is globals())
print(sorted(globals().keys() - {"__annotations__"}))
class Here: pass
print(Here.__module__, sys.modules["__main__"].Here is Here)
"""
FAILING = "def inner(): 1 / 0\ntry: inner()\nexcept ZeroDivisionError as e: raise OSError() from e"
ENDINGS = {
    "returns": "pass",
    "exits": "raise SystemExit(7)",
    "says why": "import sys; sys.exit('because')",
    "fails": FAILING,
    "is no python": "if",
    "fails late": "import atexit\natexit.register(print, 'bye')\nraise ValueError('é')",
    "has a hook": "import sys\nsys.excepthook = lambda *e: print('hook', e[0])\nraise ValueError",
    "is interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT); input()",
    "has a thread": (
        "import threading, pickle, time\nclass Here: pass\n"
        "def late():\n  time.sleep(0.1); print(type(pickle.loads(pickle.dumps(Here()))))\n"
        "threading.Thread(target=late).start()"
    ),
    "spawns": (
        "import multiprocessing\ndef twice(x): return 2 * x\n"
        "if __name__ == '__main__':\n"
        "  with multiprocessing.get_context('spawn').Pool(1) as p: print(p.map(twice, [2]))"
    ),
}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def both(*words: str, cwd: Path) -> tuple[subprocess.CompletedProcess[str], ...]:
    """Run a program by Python, and by ``callboard run``."""
    return run(*words, cwd=cwd), run("-m", "callboard", "run", *words, cwd=cwd)


@pytest.fixture
def home(tmp_path) -> Path:
    for name in ("probe.py", "package/__main__.py", "package/inner.py", "directory/__main__.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROBE)
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "linked.py").symlink_to(tmp_path / "probe.py")
    with zipfile.ZipFile(tmp_path / "zipped.pyz", "w") as archive:
        archive.writestr("__main__.py", PROBE)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("probe.py", "-m", "--version", "--", "-h", "x y"),
        ("-m", "package", "-m", "1"),
        *(
            pytest.param(words, marks=pytest.mark.slow)
            for words in [
                ("links/linked.py", "1"),
                ("directory", "1"),
                ("zipped.pyz", "1"),
                ("-m", "probe", "--help"),
                ("-m", "package.inner", "--", "1"),
            ]
        ),
    ],
)
def test_a_program_finds_what_python_has_it_find(words, home):
    expected, found = both(*words, cwd=home)
    assert found.stderr == expected.stderr == ""
    assert found.stdout == expected.stdout
    assert found.stdout.startswith("__main__ ")


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(each, marks=() if each == "is interrupted" else pytest.mark.slow)
        for each in ENDINGS
    ],
)
def test_a_program_ends_as_under_python(ending, tmp_path):
    (tmp_path / "program.py").write_text(ENDINGS[ending])
    expected, found = both("program.py", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    if ending != "is interrupted":  # What interrupts shows our frames, too.
        assert found.stderr == expected.stderr


def test_a_failing_programs_traceback_is_its_own(tmp_path):
    (tmp_path / "program.py").write_text(FAILING)
    expected, found = both("program.py", cwd=tmp_path)
    assert found.returncode == expected.returncode == 1
    assert found.stderr == expected.stderr
    assert "callboard" not in found.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("none.py",), ("-m", "none"), ("-m", "package.none"), ("-m", "json.none.at.all"), (".",)],
)
def test_a_program_that_is_not_there_is_said_in_a_sentence_with_pythons_status(words, home):
    expected, found = both(*words, cwd=home)
    assert found.returncode == expected.returncode != 0
    assert found.stderr.startswith("callboard: There is no ")
    assert len(found.stderr.splitlines()) == 1


def test_without_a_program_the_message_says_what_is_needed(tmp_path):
    ran = run("-m", "callboard", "run", cwd=tmp_path)
    assert ran.returncode == 1
    assert "a SCRIPT, or -m MODULE" in ran.stderr


def test_callboard_is_in_place_for_the_program(tmp_path):
    (tmp_path / "program.py").write_text(
        "from langchain_core.callbacks import CallbackManager\n"
        "from langchain_core.tracers import LangChainTracer\n"
        "print(CallbackManager.__module__, LangChainTracer.__module__)"
    )
    ran = run("-m", "callboard", "run", "program.py", cwd=tmp_path)
    assert ran.stdout.split() == ["callboard.callbacks.managers", *ran.stdout.split()[1:]]
    assert ran.stdout.split()[1].startswith("callboard.langchain.")
