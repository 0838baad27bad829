"""What model runs use and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Cost", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that a model run has used; None is not known.

    Attributes:
        prompt: What was given, cached and audio tokens included.
        completion: What was returned, reasoning included.
        total: Both.
        prompt_details: Parts of the prompt by kind, such as ``cache_read``.
        completion_details: Parts of the completion by kind, such as ``reasoning``.
    """

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    prompt_details: Mapping[str, int] = field(default_factory=dict)
    completion_details: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model run has cost, in US dollars; None is not known, which is not nothing.

    Attributes:
        prompt: What was given.
        completion: What was returned.
        total: Both.
        prompt_details: Parts of the prompt's cost by kind.
        completion_details: Parts of the completion's cost by kind.
        priced_by: Which price was applied; None if the client said what it cost.
    """

    prompt: float | None = None
    completion: float | None = None
    total: float | None = None
    prompt_details: Mapping[str, float] = field(default_factory=dict)
    completion_details: Mapping[str, float] = field(default_factory=dict)
    priced_by: str | None = None
