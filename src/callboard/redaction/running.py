"""The text of a call that is still running: how much of it is complete enough to be searched."""

from __future__ import annotations

__all__ = ["complete_part"]

_GROUPS = 5
"""Of how many groups of digits a number may be that a rule looks for."""


def complete_part(text: str) -> str:
    """Return a text without its end, which may be the beginning of something to redact.

    What the ready-made rules look for has no white space in it, but for numbers in groups. Where
    it has, in quotes, it is found before the quotes are closed.

    Args:
        text: All of a text so far.
    """
    if text and not text[-1].isspace():
        text = _without_last_word(text)
    for _ in range(_GROUPS):
        shorter = _without_last_word(text)
        if not text[len(shorter) :].strip().replace("-", "").isdigit():
            break
        text = shorter
    return text


def _without_last_word(text: str) -> str:
    before = text.rsplit(maxsplit=1)
    return text[: text.rindex(before[-1])] if before else ""
