"""Callboard: callbacks and tracing for LLM applications, and the board they are read on."""

from callboard.environment import reload_environment

__all__ = ["__version__", "reload_environment"]

__version__ = "0.1.0"
