"""The command ``python -m benchmarks``: measures Callboard with langchain-core beside it."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial

from benchmarks import asynchronous, configuration, dispatch, runs, streams
from benchmarks.case import Result
from benchmarks.imports import measure_imports
from benchmarks.integrations import measure_integrations
from benchmarks.langchain_app import measure_langchain_app
from benchmarks.measuring import Effort, measure
from benchmarks.table import print_group, print_header
from benchmarks.tracing import measure_tracing

GROUPS: dict[str, Callable[[Effort], list[Result]]] = {
    "dispatch": partial(measure, dispatch.CASES),
    "runs": partial(measure, runs.CASES),
    "configure": partial(measure, configuration.CASES),
    "async": partial(measure, asynchronous.CASES),
    "tracing": measure_tracing,
    "langchain": measure_langchain_app,
    "integrations": measure_integrations,
    "streams": partial(measure, streams.CASES),
    "import": measure_imports,
}
FULL = Effort(rounds=60, slice=0.004, imports=15)
QUICK = Effort(rounds=10, slice=0.002, imports=3)


def arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="python -m benchmarks", description="Measure, rival beside.")
    parser.add_argument("--quick", action="store_true", help="less exact, in a few seconds")
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    groups = ", ".join(GROUPS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups, or parts: {groups}")
    given = parser.parse_args()
    for name in given.names:
        if not any(name in group for group in GROUPS):
            parser.error(f"no group is named like {name!r}; there are {groups}")
    return given


def forget_tracing() -> None:
    """Leave the environment's tracing variables out: they would have one library trace."""
    for name in list(os.environ):
        if name.startswith(("LANGCHAIN_", "LANGSMITH_")):
            del os.environ[name]


def main() -> int:
    """Measure the groups that are asked for; return the exit code."""
    given = arguments()
    forget_tracing()
    effort = QUICK if given.quick else FULL
    print_header(effort)
    results: list[Result] = []
    for group, measured in GROUPS.items():
        if not given.names or any(name in group for name in given.names):
            found = measured(effort)
            print_group(group, found)
            results += found
    missed = [result for result in results if not result.met]
    print(f"\nTargets missed: {len(missed)}.")
    return 1 if missed and given.strict else 0


if __name__ == "__main__":
    sys.exit(main())
