"""Weights & Biases: runs as trace trees, their model calls as metrics and as rows of a table."""

from __future__ import annotations

from callboard.integrations.wandb.handler import WandbCallbackHandler

__all__ = ["WandbCallbackHandler"]
