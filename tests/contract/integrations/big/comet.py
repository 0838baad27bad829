"""Comet: an experiment that is offline, read back from the files that its archive is made of."""

import json
import os
import shutil
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

with patch.dict(os.environ, COMET_INTERNAL_SENTRY_DSN=""):
    # Or it tells its makers of its errors.
    import comet_ml

from callboard.integrations import CometCallbackHandler
from tests.contract.integrations.platforms import MODELS, Platform

_marks = count()


def prepare() -> None:
    """Open the experiment: each takes a second to end."""
    _experiment()


def finish() -> None:
    """End the experiment, and let go of its archive."""
    _experiment().end()
    shutil.rmtree(_place())
    for each in (_experiment, _place):
        each.cache_clear()


@cache
def _place() -> str:
    return tempfile.mkdtemp(prefix="callboard-comet-")


@cache
def _experiment() -> Any:
    """Return the experiment, one for all."""
    return comet_ml.OfflineExperiment(
        offline_directory=_place(),
        log_code=False,
        log_env_details=False,
        log_git_metadata=False,
        log_git_patch=False,
        auto_output_logging=False,
        parse_args=False,
        display_summary_level=0,
    )


def _messages(experiment: Any) -> list[dict[str, Any]]:
    """What was logged up to now: it is written in the background, in order."""
    mark = f"mark {next(_marks)}"
    experiment.log_other("mark", mark)
    path = Path(experiment.tmpdir) / "messages.json"
    for _ in range(500):
        text = path.read_text()
        if f'"{mark}"' in text:
            return [json.loads(line) for line in text.splitlines()]
        time.sleep(0.01)
    raise AssertionError("Comet does not write what is logged.")


def _told(experiment: Any) -> list[str]:
    """What was logged of runs, with what is in files."""
    told = []
    for message in _messages(experiment):
        payload = message["payload"]
        if message["type"] == "file_upload":
            told.append(f"{payload} {(Path(experiment.tmpdir) / payload['file_path']).read_text()}")
        elif "llm/" in str(payload):
            told.append(str(payload))
    return told


def platform(**options: Any) -> Platform:
    experiment = _experiment()
    before = len(_told(experiment))
    return Platform(
        CometCallbackHandler(experiment, **options),
        lambda: "\n".join(_told(experiment)[before:]),
        lambda: sum("'llm/latency_s'" in each for each in _told(experiment)[before:]),
        types=MODELS,
        is_open=lambda: experiment.alive,
    )
