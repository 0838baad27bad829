"""Extras: a platform's client is loaded when its handler is, and missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from callboard.errors import MissingExtraError

__all__ = ["load"]


def load(module: str, package: str, extra: str) -> Any:
    """Return a module of a platform's client.

    Args:
        module: The module.
        package: The package that has it, as it is installed.
        extra: The extra of ours that brings it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"For this, the package {package} is needed: pip install 'callboard[{extra}]'. "
            f"({error})"
        ) from error
