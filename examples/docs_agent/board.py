"""The server in a process of its own: ``callboard serve``."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

USUAL_PORT = 1984


@contextmanager
def board(database: Path, port: int | None = None) -> Iterator[str]:
    """Serve for the length of a block, at the URL that this yields.

    Args:
        database: The file to keep traces in.
        port: Where to listen; if None at the usual port, or at any if that is taken.
    """
    with tempfile.TemporaryFile("w+") as log:
        serving = started(database, USUAL_PORT if port is None else port, log)
        if serving is None and port is None:
            serving = started(database, 0, log)
        if serving is None:
            log.seek(0)
            raise SystemExit(log.read().rpartition("callboard: ")[2] or "The server did not start.")
        process, url = serving
        try:
            yield url
        finally:
            process.terminate()
            process.communicate(timeout=30)


def started(database: Path, port: int, log: IO[str]) -> tuple[subprocess.Popen[str], str] | None:
    """Start the server, and return it with its URL when it answers; None if it can't."""
    command = [sys.executable, "-m", "callboard", "serve", "--db", database, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    greeting = process.stdout.readline() if process.stdout else ""
    if found := re.search(r"http://\S+:\d+", greeting):
        return process, found[0]
    process.communicate(timeout=30)
    return None
