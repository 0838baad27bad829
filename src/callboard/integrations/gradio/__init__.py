"""Gradio: runs as the thoughts of a chat, and the model's text as its answer."""

from __future__ import annotations

from callboard.integrations.gradio.handler import GradioCallbackHandler

__all__ = ["GradioCallbackHandler"]
