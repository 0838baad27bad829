"""MLflow: runs as traces, with tokens, costs, messages and errors in its own forms."""

from __future__ import annotations

from callboard.integrations.mlflow.handler import MlflowCallbackHandler

__all__ = ["MlflowCallbackHandler"]
