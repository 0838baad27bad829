"""ClearML: a task that is offline, read back from what its logger is told.

What it writes to its files it writes when it likes; `tests/platforms` reads those.
"""

import os
import shutil
import tempfile
from functools import cache
from typing import Any

import clearml
from clearml.utilities.check_updates import CheckPackageUpdates

from callboard.integrations import ClearMLCallbackHandler
from tests.contract.integrations.platforms import MODELS, Platform


def prepare() -> None:
    """Open the task: each takes seconds to close."""
    os.environ["CLEARML_CACHE_DIR"] = _place()
    CheckPackageUpdates._package_version_checked = True  # Opening one looks for updates.
    clearml.Task.set_offline(True)
    _task()


def finish() -> None:
    """Close the task, and let go of its archive."""
    task, _ = _task()
    task.close()
    del os.environ["CLEARML_CACHE_DIR"]
    shutil.rmtree(_place())
    for each in (_task, _place):
        each.cache_clear()


@cache
def _place() -> str:
    return tempfile.mkdtemp(prefix="callboard-clearml-")


@cache
def _task() -> tuple[Any, list[str]]:
    """Return the task, one for all, and what it is told."""
    task = clearml.Task.init(
        project_name="contract",
        task_name="contract",
        auto_connect_frameworks={"detect_repository": False},
        auto_resource_monitoring=False,
        auto_connect_arg_parser=False,
        reuse_last_task_id=False,
    )
    told: list[str] = []
    reports = task.get_logger()
    for name in ("report_scalar", "report_table", "report_text"):
        setattr(reports, name, _kept(getattr(reports, name), told))
    return task, told


def _kept(report: Any, told: list[str]) -> Any:
    def both(*args: Any, **kwargs: Any) -> None:
        told.append(f"{args} {kwargs}")
        report(*args, **kwargs)

    return both


def platform(**options: Any) -> Platform:
    task, told = _task()
    before = len(told)
    return Platform(
        ClearMLCallbackHandler(task, **options),
        lambda: "\n".join(told[before:]),
        lambda: sum("'llm/latency_s'" in each for each in told[before:]),
        types=MODELS,
        is_open=lambda: clearml.Task.current_task() is task,
    )
