"""LangChain with Callboard in its place, beside LangChain as it is: the same program, unchanged.

Each side is a process of its own, as only one of them can be in a process; they take turns, and
the median of each side's processes counts. What they trace is sent over HTTP to a receiver in
another process, where every run is checked.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.case import Result
from benchmarks.measuring import Effort
from benchmarks.receiver import Receiver, digest

__all__ = ["measure_langchain_app"]

# What differs by less can't be told from nothing, on a machine that others use too.
_LEAST = 0.1e-6
_MOST_PROCESSES, _MOST_ROUNDS = 5, 20
_TOKEN = "async: a streamed token, one handler that "
_CASES = (
    ("chain", "tracing: a chain of 20 RunnableLambdas", 4.0),
    ("token", _TOKEN + "does not hear it", 10.0),
    ("token, heard", _TOKEN + "hears it", None),
)


@dataclass
class _Side:
    """One of the two, and what its processes have found."""

    name: str
    words: tuple[str, ...] = ()
    found: list[dict[str, float]] = field(default_factory=list)

    def take_turn(self, receiver: Receiver, rounds: int) -> None:
        """Run the program once.

        Raises:
            RuntimeError: Its runs have not arrived as they were.
        """
        command = [sys.executable, "-m", "benchmarks.langchain_program", str(rounds), *self.words]
        environment = {
            **os.environ,
            "CALLBOARD_SPOOL_DIR": "",
            "LANGSMITH_API_KEY": self.name,
            "LANGSMITH_ENDPOINT": receiver.url,
            "LANGSMITH_TRACING": "false",
        }
        here = Path(__file__).parents[1]
        done = subprocess.run(
            command, env=environment, cwd=here, stdout=subprocess.PIPE, check=True, text=True
        )
        told = json.loads(done.stdout)
        content = digest({"input": told["text"]}, {"output": told["text"]})
        receiver.check(self.name, told["runs"], content)
        self.found.append(told["seconds"])

    def middle(self, case: str) -> float:
        """The median of what its processes found, in seconds."""
        return max(_LEAST, median(each[case] for each in self.found))


def measure_langchain_app(effort: Effort) -> list[Result]:
    """Measure the program as it is, and with Callboard in LangChain's place.

    Raises:
        RuntimeError: What was traced has not arrived as it was.
    """
    rival, ours = _Side("langchain-core"), _Side("callboard", ("callboard",))
    with Receiver() as receiver:
        for index in range(min(effort.imports, _MOST_PROCESSES)):
            for side in (rival, ours) if index % 2 else (ours, rival):
                side.take_turn(receiver, min(effort.rounds, _MOST_ROUNDS))
    return [
        Result(name, ours.middle(case), rival.middle(case), target=target)
        for case, name, target in _CASES
    ]
