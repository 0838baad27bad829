"""MLflow, with a SQLite store, read back with its own client."""

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
    """Make the store once: to migrate a fresh one takes seconds."""
    place = Path(tempfile.mkdtemp(prefix="callboard-mlflow-"))
    mlflow.set_tracking_uri(f"sqlite:///{place / 'mlflow.db'}")
    return place


def platform(**options: Any) -> Platform:
    place = _store()
    experiment = mlflow.create_experiment(
        f"contract {next(_numbers)}", artifact_location=place.as_uri()
    )
    handler = MlflowCallbackHandler(experiment_id=experiment, **options)

    def traces() -> list[Any]:
        handler.flush()
        return list(mlflow.MlflowClient().search_traces(locations=[experiment], max_results=500))

    return Platform(
        handler,
        lambda: "\n".join(trace.to_json() for trace in traces()),
        lambda: sum(len(trace.data.spans) for trace in traces()),
    )
