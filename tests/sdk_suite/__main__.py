"""Runs the langsmith SDK's own integration tests against Callboard's server.

    python -m tests.sdk_suite [--python PYTHON] [--all]

The SDK's source distribution is fetched from the package index and kept in the virtual
environment. Its tests run in an environment that has what they import
(``requirements/sdk-suite.txt``), and the server in this one. The tests of ``groups.toml`` must
all pass; with ``--all``, every other one is run as well, and it is listed what passes already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parity.upstream import fetch_tests, read_report

HERE = Path(__file__).parent
RELEASE = "0.15.0"
# Needs the network, or services that are no LangSmith server; and one that spoils the others.
LEFT_OUT = [
    "--ignore=tests/integration_tests/wrappers",
    "--ignore=tests/integration_tests/test_sandbox_sse_exec.py",
    "--deselect=tests/integration_tests/test_client.py::test_otel_trace_attributes",
]


def required() -> dict[str, str]:
    """Return the tests that must pass, with the group that each is in."""
    groups = tomllib.loads((HERE / "groups.toml").read_text(encoding="utf-8"))
    return {_full_name(test): group for group, tests in groups.items() for test in tests}


def _full_name(test: str) -> str:
    file, _, name = test.partition(": ")
    return f"tests.integration_tests.test_{file}.test_{name}"


@contextmanager
def server() -> Iterator[str]:
    """Run a server of its own, on an empty file, and yield its URL."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "callboard", "serve", "--port", "0"]
        process = subprocess.Popen(
            [*command, "--db", f"{scratch}/callboard.db"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            yield greeting.split()[3].rstrip(",")
        finally:
            process.terminate()
            process.wait(timeout=20)


def run_tests(python: str, source: Path, url: str, paths: list[str]) -> dict[str, str]:
    """Run tests of the SDK and return each one's result, by its full name.

    Args:
        python: The interpreter of an environment that has what they import.
        source: Where they are.
        url: The server to run them against.
        paths: Which of them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        environment = {
            **os.environ,
            "LANGSMITH_ENDPOINT": url,
            "LANGSMITH_API_KEY": "any",
            "LANGSMITH_TRACING": "true",
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_API_KEY": "none",
            "PYTHONPATH": str(HERE),
        }
        options = ["-p", "sdk_options", "--runslow", "--vcr-mode=none", "-n", "4", "-q"]
        options += ["-p", "no:cacheprovider", "-p", "no:randomly", f"--junitxml={report}"]
        options += ["--timeout=60", "--timeout-method=signal", *LEFT_OUT]
        ran = subprocess.run(
            [python, "-m", "pytest", *options, *paths],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise subprocess.CalledProcessError(ran.returncode, ran.args, ran.stdout, ran.stderr)
        return read_report(report)


def judge(results: dict[str, str], must_pass: dict[str, str]) -> list[str]:
    """Return what is wrong, a line each, having printed how each group fared."""
    by_group: dict[str, Counter[str]] = {group: Counter() for group in must_pass.values()}
    wrong = []
    for test, group in must_pass.items():
        cases = [each for each in results if each == test or each.startswith(f"{test}[")]
        for case in cases or [test]:
            result = results.get(case, "not run")
            by_group[group][result] += 1
            if result != "passed":
                wrong.append(f"{group}: {case} {result}")
    for group, counts in by_group.items():
        print(f"  {group:<12} {counts['passed']} of {counts.total()} pass")
    return wrong


def told(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.sdk_suite")
    parser.add_argument("--python", default=sys.executable, help="runs the tests; this one")
    parser.add_argument("--all", action="store_true", help="run all tests, and list them")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the suite, print the verdict, and return the exit status."""
    asked = told(arguments)
    # Not resolved: where a virtual environment's interpreter leads to has none of it.
    python = str(Path(asked.python).absolute())
    source = fetch_tests("langsmith", RELEASE, Path(sys.prefix) / "sdk-suite-tests", python)
    must_pass = required()
    paths = [
        f"{name.rpartition('.')[0].replace('.', '/')}.py::{name.rpartition('.')[2]}"
        for name in must_pass
    ]
    if asked.all:
        paths = ["tests/integration_tests", "tests/evaluation"]
    with server() as url:
        results = run_tests(python, source, url, paths)
    wrong = judge(results, must_pass)
    passed = sum(result == "passed" for result in results.values())
    print(f"langsmith {RELEASE}: {passed} of {len(results)} pass against Callboard's server.")
    if asked.all:
        for test, result in sorted(results.items()):
            print(f"  {result:<8} {test}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stdout or ''}\n{error.stderr or ''}")
