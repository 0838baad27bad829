"""Which runs a stream tells of, by name, type and tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from callboard.errors import BadOptionError

__all__ = ["Choice", "RunFilter"]

Choice: TypeAlias = Sequence[str] | None
"""Some names, types or tags; None for no choice."""


class RunFilter:
    """Chooses runs: those that any inclusion names, or all if there is none; no excluded ones."""

    def __init__(
        self,
        *,
        include_names: Choice = None,
        include_types: Choice = None,
        include_tags: Choice = None,
        exclude_names: Choice = None,
        exclude_types: Choice = None,
        exclude_tags: Choice = None,
    ) -> None:
        """Make a filter.

        Args:
            include_names: Runs of these names.
            include_types: Runs of these types, such as ``"chat_model"``.
            include_tags: Runs that have any of these tags.
            exclude_names: No runs of these names.
            exclude_types: No runs of these types.
            exclude_tags: No runs that have any of these tags.

        Raises:
            BadOptionError: One of them is a string instead of a list of strings.
        """
        self._includes_all = include_names is include_types is include_tags is None
        self._included = _Named(include_names, include_types, include_tags, "include")
        self._excluded = _Named(exclude_names, exclude_types, exclude_tags, "exclude")

    def includes(self, name: str, run_type: str, tags: Iterable[str]) -> bool:
        """Whether a run is one of those chosen.

        Args:
            name: The run's name.
            run_type: Its type.
            tags: Its tags.
        """
        included = self._includes_all or self._included.has(name, run_type, tags)
        return included and not self._excluded.has(name, run_type, tags)


class _Named:
    """Names, types and tags: one side of a filter."""

    def __init__(self, names: Choice, types: Choice, tags: Choice, side: str) -> None:
        self._names = _set_of(names, f"{side}_names")
        self._types = _set_of(types, f"{side}_types")
        self._tags = _set_of(tags, f"{side}_tags")

    def has(self, name: str, run_type: str, tags: Iterable[str]) -> bool:
        return name in self._names or run_type in self._types or not self._tags.isdisjoint(tags)


def _set_of(chosen: Choice, option: str) -> frozenset[str]:
    if isinstance(chosen, str):
        raise BadOptionError(
            f"{option} takes a list of strings, and got {chosen!r}; write [{chosen!r}]."
        )
    return frozenset(chosen or ())
