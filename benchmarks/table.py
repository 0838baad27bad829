"""The table that is printed."""

import platform
from collections.abc import Iterable

from benchmarks.case import Result
from benchmarks.libraries import OURS, RIVAL
from benchmarks.measuring import Effort

__all__ = ["print_group", "print_header"]

LINE = "  {:<44}{:>10}{:>11}{:>16}{:>9}{:>11}  {}"
MICROSECOND = 1e-6


def print_header(effort: Effort) -> None:
    """Print what is compared, and how to read it."""
    print(f"{OURS.name} {OURS.version} beside {RIVAL.name} {RIVAL.version}, ", end="")
    print(f"{platform.python_implementation()} {platform.python_version()}\n")
    print(f"Microseconds a call: the minimum of {effort.rounds} rounds, in each of which all take")
    print("turns in one process, doing the same; the garbage collector runs between turns only.")
    print("Tracing: CPU time that it adds to the same call untraced, of the calling thread or of")
    print("the process, the median of the turns; all that is sent is checked where it arrives.")
    print("Integrations: CPU time that they add to the calling thread, the least of the turns.")
    print(f"Imports: CPU time, the median of {effort.imports} fresh processes each, in turns.")
    print("The ceiling is the handlers' bare calls and nothing else. Machines differ and are")
    print("shared: compare the ratios, langchain-core's time to Callboard's, not the times.")
    print("Where a thread is involved on either side, it is the scheduler that is measured most:")
    print("such ratios differ from run to run, by a fifth and more.")


def print_group(name: str, results: Iterable[Result]) -> None:
    """Print the results of a group under its name."""
    print()
    heads = LINE.format("", "ceiling", OURS.name, RIVAL.name, "ratio", "target", "")
    print(name + heads[len(name) :].rstrip())
    for result in results:
        print(_line(result).rstrip(), flush=True)


def _line(result: Result) -> str:
    return LINE.format(
        result.name,
        _microseconds(result.ceiling),
        _microseconds(result.ours),
        _microseconds(result.rival),
        f"{result.ratio:.2f}x",
        _target(result),
        _verdict(result),
    )


def _microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / MICROSECOND:,.3f}"


def _target(result: Result) -> str:
    if result.within is not None:
        return f"<= {result.within / MICROSECOND:g} us"
    return "" if result.target is None else f">= {result.target:g}x"


def _verdict(result: Result) -> str:
    if result.target is None and result.within is None:
        return ""
    return "met" if result.met else "MISSED"
