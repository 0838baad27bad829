"""MLflow, with a SQLite store, read back with its own client."""

import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import mlflow

from callboard.integrations import MlflowCallbackHandler
from tests.contract.integrations.platforms import Platform

_numbers = count()


@cache
def _store() -> Path:
    return Path(tempfile.mkdtemp(prefix="callboard-mlflow-"))


def prepare() -> None:
    """Have a store, made once: a fresh one is migrated step by step."""
    mlflow.set_tracking_uri(f"sqlite:///{_store() / 'mlflow.db'}")
    _begin_experiment()


def finish() -> None:
    """Remove the store."""
    mlflow.flush_trace_async_logging()
    shutil.rmtree(_store())
    _store.cache_clear()


def _begin_experiment() -> str:
    name = f"contract {next(_numbers)}"
    return mlflow.create_experiment(name, artifact_location=_store().as_uri())


def platform(**options: Any) -> Platform:
    experiment = _begin_experiment()
    handler = MlflowCallbackHandler(experiment_id=experiment, **options)

    def traces() -> list[Any]:
        handler.flush()
        return list(mlflow.MlflowClient().search_traces(locations=[experiment], max_results=500))

    return Platform(
        handler,
        lambda: "\n".join(trace.to_json() for trace in traces()),
        lambda: sum(len(trace.data.spans) for trace in traces()),
    )
