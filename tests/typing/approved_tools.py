"""Approved tools keep their types; deciders may be sync or async."""

from __future__ import annotations

from typing import assert_type

from callboard.integrations import (
    Approve,
    AsyncHumanApprovalCallbackHandler,
    Edit,
    HumanApprovalCallbackHandler,
    Reject,
    ToolRequest,
    approved,
    ask_in_terminal,
)


def decide(request: ToolRequest) -> Edit | Reject | bool:
    """Decide."""
    return Edit({"n": 1}) if "n" in request.inputs else request.tool == "double"


async def adecide(request: ToolRequest) -> Approve:
    """Decide, elsewhere."""
    return Approve()


@approved
def double(n: int) -> int:
    """Double."""
    return n * 2


@approved(decide=adecide, timeout=5, otherwise=Reject("too late"), rejected=str)
async def halve(n: int, *, rest: bool = False) -> float:
    """Halve."""
    return n / 2


async def use() -> None:
    """Use them."""
    assert_type(double(1), int)
    assert_type(await halve(1, rest=True), float)
    assert_type(approved(decide=decide)(len)([]), int)
    double("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


HumanApprovalCallbackHandler(decide)
HumanApprovalCallbackHandler(approve=lambda text: text == "x", should_check=lambda tool: True)
AsyncHumanApprovalCallbackHandler(ask_in_terminal, timeout=60.0, otherwise=False)
approved(decide=lambda request: "yes")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
