"""The budget guard: no more model calls once so much has been spent."""

from __future__ import annotations

import logging
from typing import Literal

from callboard.errors import BadOptionError, BudgetSpentError
from callboard.integrations.base import RunRecord
from callboard.integrations.gates import Gate
from callboard.integrations.holds import Hold
from callboard.prices import PriceList

__all__ = ["BudgetGuard"]

logger = logging.getLogger(__name__)


class BudgetGuard(Gate):
    """Refuses model calls once a budget of money or tokens is spent.

    Give one to the calls that share a budget: to a request, a user, or the whole process. What a
    call costs is known when it has ended, so the last one may go over; `expected_tokens` and
    `expected_cost` say what to set aside for each, from before it is made. Nothing is raised when a
    call has ended. May be shared between threads.

    Attributes:
        spent_tokens: The tokens used so far.
        spent_cost: What was spent so far, in US dollars, as far as it is known.
        calls_under_way: How many calls have started and not ended.
    """

    # Before the others: a call that is refused is then never begun for them.
    run_inline = True

    def __init__(
        self,
        *,
        max_cost: float | None = None,
        max_tokens: int | None = None,
        expected_cost: float = 0.0,
        expected_tokens: int = 0,
        unpriced: Literal["warn", "refuse"] = "warn",
        prices: PriceList | None = None,
    ) -> None:
        """Set a budget.

        Args:
            max_cost: How much may be spent, in US dollars.
            max_tokens: How many tokens may be used.
            expected_cost: What to set aside for each call until it has ended, in US dollars; one
                for which there is less left is refused.
            expected_tokens: How many tokens to set aside for each call, likewise.
            unpriced: What to do once a call had no known cost while `max_cost` is set: say so in
                the log, once, and go on; or refuse all calls after it.
            prices: What models cost; by default the published prices.

        Raises:
            BadOptionError: There is no limit, one is negative, or `unpriced` is neither.
        """
        if max_cost is None and max_tokens is None:
            raise BadOptionError("A budget needs max_cost, max_tokens or both.")
        amounts = {
            "max_cost": max_cost,
            "max_tokens": max_tokens,
            "expected_cost": expected_cost,
            "expected_tokens": expected_tokens,
        }
        for name, value in amounts.items():
            if value is not None and value < 0:
                raise BadOptionError(f"{name} is {value!r}; it takes a number from 0 up.")
        if unpriced not in {"warn", "refuse"}:
            raise BadOptionError(f"unpriced is {unpriced!r}; it takes 'warn' or 'refuse'.")
        super().__init__(prices)
        self._max_cost, self._max_tokens = max_cost, max_tokens
        self._expected_cost, self._expected_tokens = expected_cost, expected_tokens
        self._unpriced = unpriced
        self._unpriced_model: str | None = None
        self._lock = Hold()
        self.spent_tokens = 0
        self.spent_cost = 0.0
        self.calls_under_way = 0

    def admit(self) -> None:
        """Let a call through while there is budget left.

        Raises:
            BudgetSpentError: There is not.
        """
        with self._lock:
            self._check()
            self.calls_under_way += 1

    def _check(self) -> None:
        if not self._has_room(self._max_tokens, self.spent_tokens, self._expected_tokens):
            raise BudgetSpentError(
                f"The budget of {self._max_tokens} tokens is spent: {self.spent_tokens} were used, "
                f"and {self.calls_under_way} calls are under way, with {self._expected_tokens} set "
                "aside for each."
            )
        if not self._has_room(self._max_cost, self.spent_cost, self._expected_cost):
            raise BudgetSpentError(
                f"The budget of ${self._max_cost:g} is spent: ${self.spent_cost:.6g} was used, "
                f"and {self.calls_under_way} calls are under way, with ${self._expected_cost:g} "
                "set aside for each."
            )
        if self._unpriced == "refuse" and self._unpriced_model is not None:
            raise BudgetSpentError(
                f"What {self._unpriced_model} costs is not known, so nobody can tell what is left "
                "of the budget: give its price, or set unpriced='warn'."
            )

    def _has_room(self, limit: float | None, spent: float, expected: float) -> bool:
        """Whether there is room for another call, beside those that are under way."""
        if limit is None:
            return True
        spent += self.calls_under_way * expected
        return spent < limit and spent + expected <= limit

    def count(self, record: RunRecord) -> None:
        """Count what a call has used."""
        with self._lock:
            self.calls_under_way -= 1
            if record.tokens is not None:
                self.spent_tokens += record.tokens.total or 0
            if record.cost is not None and record.cost.total is not None:
                self.spent_cost += record.cost.total
            elif record.status == "ok" and self._max_cost is not None:
                self._note_unpriced(record.response_model or record.model or "a model without name")

    def _note_unpriced(self, model: str) -> None:
        if self._unpriced_model is None:
            self._unpriced_model = model
            logger.warning(
                "What %s costs is not known: its calls don't count against the budget of $%g. "
                "This is said once.",
                model,
                self._max_cost,
            )
