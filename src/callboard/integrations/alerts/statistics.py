"""Statistics: what is made of the values in a window, to be held against a limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from callboard.errors import BadOptionError
from callboard.integrations.alerts.windows import Window

__all__ = ["Statistic", "statistic_named"]

AnyWindow: TypeAlias = Window[Any]

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")


@dataclass(frozen=True, slots=True)
class Statistic:
    """What is made of the values in a window.

    Attributes:
        value: Returns it; None if there are no values.
        percent: Which percentile it is, if it is one.
    """

    value: Callable[[AnyWindow], float | None]
    percent: float | None = None

    def is_beyond(
        self, window: AnyWindow, limit: float, is_worse: Callable[[float, float], bool]
    ) -> bool:
        """Whether it is beyond a limit.

        Args:
            window: The values; its own limit is the same.
            limit: The limit.
            is_worse: Whether one value is worse than another.
        """
        if self.percent is not None:
            return window.passes(self.percent)
        value = self.value(window)
        return value is not None and is_worse(value, limit)


_PLAIN = {
    "average": Statistic(lambda window: window.average()),
    "total": Statistic(lambda window: window.total()),
    "worst": Statistic(lambda window: window.worst()),
}


def statistic_named(name: str) -> Statistic:
    """Return a statistic.

    Args:
        name: ``"average"``, ``"total"``, ``"worst"``, or a percentile such as ``"p95"``.

    Raises:
        BadOptionError: There is none of that name.
    """
    found = _PLAIN.get(name)
    if found is not None:
        return found
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is None or not float(percentile[1]):
        raise BadOptionError(
            f"There is no statistic {name!r}; accepted are {', '.join(_PLAIN)}, "
            "and percentiles from p1 to p99.999, such as p95."
        )
    percent = float(percentile[1])
    return Statistic(lambda window: window.percentile(percent), percent)
