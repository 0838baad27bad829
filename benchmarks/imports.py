"""What importing costs: CPU time, in fresh processes, one library after the other.

CPU time leaves out waiting for others, yet it drifts with the machine, by half at times, and
varies by chance both ways: hence the turns and the median. The interpreter's own start is not
in it.

Both packages load their names when they are first used. A bare import thus shows what an
application pays that never uses callbacks; only being ready, up to the first manager, compares
what both do.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from statistics import median

from benchmarks.case import Result
from benchmarks.measuring import Effort

__all__ = ["measure_imports"]

TIMED = """
from time import process_time
start = process_time()
{statements}
print(process_time() - start)
"""

READY = "from {package}.callbacks.manager import CallbackManager; CallbackManager.configure()"
OUR_FIRST = "import callboard.callbacks"
OUR_READY = f"{OUR_FIRST}; {READY.format(package='callboard')}"
RIVAL_FIRST = "import langchain_core.callbacks"
RIVAL_READY = READY.format(package="langchain_core")


@dataclass
class _Import:
    """What one process executes, and what that took each time."""

    statements: str
    taken: list[float] = field(default_factory=list)

    def execute(self) -> float:
        """Execute it in a fresh process; return its CPU seconds."""
        # Installing compiles langchain-core ahead; let Callboard's bytecode be kept as well.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-c", TIMED.format(statements=self.statements)]
        done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
        return float(done.stdout)

    @property
    def middle(self) -> float:
        """The median of what it took."""
        return median(self.taken)


def measure_imports(effort: Effort) -> list[Result]:
    """Measure each import, alternating."""
    first, ready = _Import(OUR_FIRST), _Import(OUR_READY)
    rival_first, rival_ready = _Import(RIVAL_FIRST), _Import(RIVAL_READY)
    turns = [rival_ready, ready, rival_first, first]
    for each in turns:
        each.execute()
    for _ in range(effort.imports):
        for each in turns:
            each.taken.append(each.execute())
    return [
        Result("ours: bare import, lazy; rival: ready", first.middle, rival_ready.middle, target=4),
        Result("both ready: manager + first configure", ready.middle, rival_ready.middle, target=4),
        Result("both: bare import, lazy", first.middle, rival_first.middle),
    ]
