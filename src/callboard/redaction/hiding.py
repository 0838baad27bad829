"""Functions of the application that decide what is sent, and what becomes of those that fail."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from callboard.errors import BadOptionError

__all__ = ["WITHHELD", "Anonymizer", "Hide", "Hiding", "complain", "details", "moment"]

logger = logging.getLogger(__name__)

Anonymizer: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
Hide: TypeAlias = bool | Anonymizer
"""True to send nothing, or what returns what is to be sent."""

WITHHELD = "<withheld>"
"""What is told in place of a text that nobody could make fit to be sent."""


class Hiding:
    """Hides inputs, outputs and metadata, and has an anonymizer see what is left.

    Attributes:
        of: Whether inputs, outputs and metadata are hidden, and how.
        anonymizer: What makes of any part what is sent.
    """

    def __init__(self, of: Mapping[str, Any], anonymizer: Anonymizer | None) -> None:
        """Take what the application decides by.

        Args:
            of: Whether ``inputs``, ``outputs`` and ``metadata`` are hidden, and how.
            anonymizer: What makes of any part what is sent.

        Raises:
            BadOptionError: Something is neither a function nor yes or no.
        """
        for name, hide in of.items():
            if not callable(hide) and not isinstance(hide, bool):
                raise BadOptionError(f"hide_{name} is {hide!r}; it takes a function or a bool.")
        if anonymizer is not None and not callable(anonymizer):
            raise BadOptionError(f"anonymizer is {anonymizer!r}, and takes a function.")
        self.of: Mapping[str, Hide] = of
        self.anonymizer = anonymizer
        self._complained: set[str] = set()

    def __bool__(self) -> bool:
        return self.anonymizer is not None or any(self.of.values())

    def part(self, name: str, value: Any, counts: Counter[str]) -> Any:
        """Return what may be sent of a part.

        Args:
            name: Which part.
            value: What it says; it may be changed.
            counts: Told what was done.
        """
        return self._anonymized(name, self._without_hidden(name, value, counts), counts)

    def _without_hidden(self, name: str, value: Any, counts: Counter[str]) -> Any:
        if name == "extra" and isinstance(value, dict):
            metadata = value.get("metadata")
            if self.of["metadata"] and isinstance(metadata, dict):
                kept = {key: each for key, each in metadata.items() if key == "usage_metadata"}
                return value | {"metadata": self._hide("metadata", metadata, counts) | kept}
        elif name == "events" and self.of["outputs"]:
            return [moment(event) for event in value]
        elif name in ("inputs", "outputs") and self.of[name]:
            return self._hide(name, value, counts)
        return value

    def _hide(self, name: str, value: Any, counts: Counter[str]) -> dict[str, Any]:
        hide = self.of[name]
        if not value:
            return {}
        counts[f"hide_{name}"] += 1
        return self._call(f"hide_{name}", hide, value, counts) if callable(hide) else {}

    def _anonymized(self, name: str, value: Any, counts: Counter[str]) -> Any:
        anonymizer = self.anonymizer
        if anonymizer is None:
            return value

        def safe(held: dict[str, Any]) -> dict[str, Any]:
            if not held:
                return held
            counts["anonymizer"] += 1
            return self._call("anonymizer", anonymizer, held, counts)

        if name == "events":
            return [moment(event) | safe(details(event)) for event in value]
        if name == "extra" and isinstance(value, dict):
            kept = {key: each for key, each in value.items() if key == "runtime"}
            return safe({key: each for key, each in value.items() if key not in kept}) | kept
        if isinstance(value, dict):
            return safe(value)
        return safe({name: value}).get(name, WITHHELD)

    def _call(
        self, name: str, function: Anonymizer, value: dict[str, Any], counts: Counter[str]
    ) -> dict[str, Any]:
        """Return what a function makes of a value; if it fails, nothing of it."""
        try:
            made: Any = function(value)
        except Exception as error:  # noqa: BLE001 - the function is the application's
            trouble = type(error).__name__
        else:
            if isinstance(made, dict):
                return made
            trouble = f"a result of type {type(made).__name__} in place of a dictionary"
        if name not in self._complained:
            self._complained.add(name)
            complain(name, trouble)
        counts["withheld"] += 1
        return {}


def complain(name: str, trouble: str) -> None:
    """Log that something failed, without its message: that may say what must not be said.

    Args:
        name: What failed.
        trouble: What kind of failure it was.
    """
    logger.error(
        "%s failed with %s: what it should have made fit to be sent is withheld, here and wherever "
        "it fails again. This is said once.",
        name,
        trouble,
    )


def moment(event: dict[str, Any]) -> dict[str, Any]:
    """Return of an event what happened, and when."""
    return {name: event[name] for name in ("name", "time") if name in event}


def details(event: dict[str, Any]) -> dict[str, Any]:
    """Return of an event what `moment` does not."""
    return {name: each for name, each in event.items() if name not in ("name", "time")}
