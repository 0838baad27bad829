"""Runs langchain-core's own tests twice: as they are, and with Callboard in its place.

    python -m tests.parity [SUITE ...]

A suite is a directory of ``tests/unit_tests`` in langchain-core's source distribution, such as
``callbacks``; without any, all of them are run. The distribution, of the version that is
installed, is fetched from the package index and kept in the virtual environment.

The results must be the same, but for the tests in ``exceptions.toml``: at most ten, each with
the reason. One that is listed but no longer differs is a failure too.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

from tests.parity.upstream import fetch_tests, results_of

HERE = Path(__file__).parent
MOST_EXCEPTIONS = 10


def differences(baseline: dict[str, str], installed: dict[str, str]) -> dict[str, str]:
    """Return each test whose result is not the same, with both results."""
    return {
        test: f"{baseline.get(test, 'not run')} -> {installed.get(test, 'not run')}"
        for test in sorted(baseline.keys() | installed.keys())
        if baseline.get(test) != installed.get(test)
    }


def read_exceptions() -> dict[str, str]:
    """Return the tests that may differ, each with the reason."""
    listed = tomllib.loads((HERE / "exceptions.toml").read_text(encoding="utf-8"))
    return {each["test"]: each["reason"] for each in listed.get("exception", [])}


def judge(suites: list[str], different: dict[str, str], exceptions: dict[str, str]) -> list[str]:
    """Return what is wrong with the comparison, a sentence each."""
    in_suites = {
        test for test in exceptions if not suites or any(f".{suite}." in test for suite in suites)
    }
    wrong = [f"{test}: {how}" for test, how in different.items() if test not in exceptions]
    wrong += [
        f"{test}: listed as an exception, but does not differ"
        for test in in_suites
        if test not in different
    ]
    if len(exceptions) > MOST_EXCEPTIONS:
        wrong.append(f"{len(exceptions)} exceptions are listed; at most {MOST_EXCEPTIONS} may be.")
    return wrong


def main(suites: list[str]) -> int:
    """Run the suites both ways and print the comparison."""
    release = version("langchain-core")
    tests = fetch_tests("langchain-core", release, Path(sys.prefix) / "parity")
    baseline = results_of(tests, suites)
    installed = results_of(tests, suites, plugin=HERE / "callboard_in_place.py")
    different = differences(baseline, installed)
    exceptions = read_exceptions()
    for test, how in different.items():
        print(f"  {test}: {how}\n    {exceptions.get(test, 'NOT LISTED')}")
    wrong = judge(suites, different, exceptions)
    passed = sum(result == "passed" for result in installed.values())
    passed_before = sum(result == "passed" for result in baseline.values())
    print(
        f"langchain-core {release}, {', '.join(suites) or 'all suites'}: {len(baseline)} tests; "
        f"{passed} pass with Callboard in place, {passed_before} without; {len(different)} differ."
    )
    print("\n".join(wrong))
    return 1 if wrong or not passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stdout or ''}\n{error.stderr or ''}")
