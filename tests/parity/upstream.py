"""Other packages' own tests: fetching them, and running them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET


def fetch_tests(package: str, release: str, cache: Path, python: str = sys.executable) -> Path:
    """Return a directory with the ``tests`` of a release of a package, fetched if need be.

    The package itself is left out, so that the tests run against the one that is installed.

    Args:
        package: Its name.
        release: Which version.
        cache: Where what was fetched is kept.
        python: The interpreter of an environment that has what builds the package.
    """
    target = cache / release
    if target.exists():
        return target
    with tempfile.TemporaryDirectory() as scratch:
        download = ["download", "--quiet", "--no-deps", "--no-build-isolation", "--dest", scratch]
        _run(
            python,
            "-m",
            "pip",
            *download,
            "--no-binary",
            package,
            f"{package}=={release}",
        )
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(scratch, filter="data")
        (source,) = (path for path in Path(scratch).iterdir() if path.is_dir())
        cache.mkdir(parents=True, exist_ok=True)
        unpacked = cache / f".{release}"
        unpacked.mkdir()
        for part in ("tests", "pyproject.toml"):
            (source / part).rename(unpacked / part)
        unpacked.rename(target)
    return target


def results_of(tests: Path, suites: list[str], plugin: Path | None = None) -> dict[str, str]:
    """Run suites in a process of their own and return each test's result.

    Args:
        tests: What `fetch_tests` returned.
        suites: Directories, or files, of ``tests/unit_tests``; all of it if there are none.
        plugin: A pytest plugin to load before anything else.

    Returns:
        passed, failed, error or skipped, by the test's full name.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        # Some tests turn tracing on: nothing of theirs is to be kept and sent by others.
        quiet = {"LANGSMITH_TRACING": "false", "CALLBOARD_SPOOL_DIR": ""}
        environment = {**os.environ, **quiet}
        options = [
            "-q",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "--no-header",
            "-n",
            "2",
            "--dist",
            "loadfile",
            f"--junitxml={report}",
        ]
        if plugin is not None:
            paths = (str(plugin.parent), os.environ.get("PYTHONPATH"))
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
            options = ["-p", plugin.stem, *options]
        paths = [f"tests/unit_tests/{suite}" for suite in suites or [""]]
        # Its exit code says whether tests failed, which is for the comparison to judge.
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *paths],
            cwd=tests,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise subprocess.CalledProcessError(ran.returncode, ran.args, ran.stdout, ran.stderr)
        return read_report(report)


def read_report(report: Path) -> dict[str, str]:
    """Return each test's result, by its full name, from a report in JUnit's form.

    Returns:
        passed, failed, error or skipped.
    """
    return {_name(case): _result(case) for case in ET.parse(report).iter("testcase")}


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}.{case.get('name')}"


def _result(case: ET.Element) -> str:
    for outcome, result in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        if case.find(outcome) is not None:
            return result
    return "passed"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
