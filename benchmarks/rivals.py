"""Other servers of traces that run from one command, if they are installed.

Each is a program, which a variable names: they want versions of packages that we do not.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.boards import free_port
from benchmarks.processes import Process

__all__ = ["RIVALS", "Rival"]


@dataclass(frozen=True)
class Rival:
    """A server that takes OpenTelemetry's spans, and keeps them in a SQLite file.

    Attributes:
        name: What it is called.
        variable: Names its program, if it is not found by its own name.
        program: That name.
        arguments: What to run it with, given a folder and a port.
        environment: Which variables, likewise.
        headers: What requests must say.
        database: Its file in the folder.
        runs: How many runs to measure it with.
    """

    name: str
    variable: str
    program: str
    arguments: Callable[[Path, int], Sequence[str]]
    environment: Callable[[Path, int], Mapping[str, str]]
    database: str
    runs: int
    headers: dict[str, str] = field(default_factory=dict)

    def command(self) -> str | None:
        """Return its program, if there is one."""
        return shutil.which(os.environ.get(self.variable, self.program))

    def start(self, program: str, folder: Path) -> Process:
        """Start it on an empty folder."""
        port = free_port()
        return Process(
            [program, *self.arguments(folder, port)],
            f"http://127.0.0.1:{port}",
            self.environment(folder, port),
        )

    def await_spans(self, folder: Path, count: int) -> None:
        """Wait until it has written so many spans.

        Raises:
            RuntimeError: It has not, after minutes.
        """
        found = 0
        for _ in range(3_000):
            if (found := _spans(folder / self.database)) >= count:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} has kept {found} of {count} spans.")


def _spans(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as db:
        [(count,)] = db.execute("SELECT count(*) FROM spans")
        return int(count)


RIVALS = (
    Rival(
        "Arize Phoenix",
        "CALLBOARD_BENCH_PHOENIX",
        "phoenix",
        lambda _folder, _port: ["serve"],
        lambda folder, port: {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        },
        "phoenix.db",
        runs=2_000,
    ),
    Rival(
        "MLflow",
        "CALLBOARD_BENCH_MLFLOW",
        "mlflow",
        lambda folder, port: [
            "server",
            "--host=127.0.0.1",
            f"--port={port}",
            "--workers=1",
            f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
            f"--artifacts-destination={folder}/artifacts",
        ],
        lambda _folder, _port: {"MLFLOW_DISABLE_TELEMETRY": "true"},
        "mlflow.db",
        runs=4_000,
        headers={"x-mlflow-experiment-id": "0"},
    ),
)
