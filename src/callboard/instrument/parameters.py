"""What a function is called with, by parameter name.

The parameters are read once, when the function is decorated. `inspect.Signature.bind`, which
would do the same for each call, takes ten times as long; and what does not fit is for the
function itself to refuse.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Parameters"]

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Parameters:
    """A function's parameters.

    Attributes:
        names: The names of all of them.
        takes_any_keyword: Whether it takes keywords of any name.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Read them.

        Args:
            function: Anything that can be called.
        """
        parameters = _parameters_of(function)
        by_position = [name for name, each in parameters.items() if each.kind in _BY_POSITION]
        # The object or class that a method belongs to is no input.
        self._skipped = 1 if by_position[:1] in (["self"], ["cls"]) else 0
        self._positional = tuple(by_position[self._skipped :])
        self._count = len(by_position)
        self._rest = _named(parameters, inspect.Parameter.VAR_POSITIONAL)
        self._defaults = {
            name: each.default
            for name, each in parameters.items()
            if each.default is not inspect.Parameter.empty
        }
        self.names = frozenset(parameters)
        self.takes_any_keyword = _named(parameters, inspect.Parameter.VAR_KEYWORD) is not None

    def is_given(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether a call gives an argument for a parameter.

        Args:
            name: The parameter's name.
            args: The arguments given by position.
            kwargs: Those given by keyword.
        """
        by_position = self._positional[: max(len(args) - self._skipped, 0)]
        return name in kwargs or name in by_position

    def inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return a call's arguments by name, defaults included.

        Args:
            args: Those given by position.
            kwargs: Those given by keyword.
        """
        given = dict(zip(self._positional, args[1:] if self._skipped else args, strict=False))
        if self._rest is not None:
            given[self._rest] = args[self._count :]
        if kwargs:
            given.update(kwargs)
        if self._defaults:
            for name, default in self._defaults.items():
                given.setdefault(name, default)
        return given


def _parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # Some built-in functions don't tell.
        return inspect.signature(_unknown).parameters


def _unknown(*args: Any, **kwargs: Any) -> None:
    """Stands for a function that does not tell its parameters."""


def _named(parameters: Mapping[str, inspect.Parameter], kind: Any) -> str | None:
    return next((name for name, each in parameters.items() if each.kind is kind), None)
