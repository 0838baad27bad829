"""Weights & Biases: a run that is offline, read back from what its client hands to its service."""

import json
import shutil
import tempfile
from functools import cache
from typing import Any

import wandb

from callboard.integrations import WandbCallbackHandler
from tests.contract.integrations.platforms import Platform


def prepare() -> None:
    """Start the run: each takes a second."""
    _run()


def finish() -> None:
    """End the run: while it goes on, W&B does not write the ends of others."""
    run, _ = _run()
    run.finish()
    shutil.rmtree(_place())
    for each in (_run, _place):
        each.cache_clear()


@cache
def _place() -> str:
    return tempfile.mkdtemp(prefix="callboard-wandb-")


@cache
def _run() -> tuple[Any, list[Any]]:
    """Return the run, one for all, and what is published for it."""
    run = wandb.init(
        mode="offline",
        dir=_place(),
        project="contract",
        settings=wandb.Settings(silent=True),
    )
    published: list[Any] = []
    publish = run._interface._publish

    def keep(record: Any, **options: Any) -> None:
        published.append(record)
        publish(record, **options)

    run._interface._publish = keep
    return run, published


def _trees(records: list[Any]) -> list[dict[str, Any]]:
    return [
        json.loads(json.loads(item.value_json)["root_span_dumps"])
        for record in records
        for item in record.request.partial_history.item
        if item.key == "trace"
    ]


def _count(span: dict[str, Any]) -> int:
    return 1 + sum(map(_count, span.get("child_spans") or ()))


def platform(**options: Any) -> Platform:
    run, published = _run()
    before = len(published)
    return Platform(
        WandbCallbackHandler(run, **options),
        lambda: "\n".join(map(str, published[before:])),
        lambda: sum(map(_count, _trees(published[before:]))),
        is_open=lambda: not run._is_finished,
    )
