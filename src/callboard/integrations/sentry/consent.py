"""Consent: which content the application has its Sentry client tell."""

from __future__ import annotations

from typing import Any, NamedTuple

import sentry_sdk

__all__ = ["Consent", "consent"]


class Consent(NamedTuple):
    """What of runs may be told.

    Attributes:
        inputs: Whether what they are given is.
        outputs: Whether what they return is.
    """

    inputs: bool
    outputs: bool


def consent() -> Consent:
    """Return what the current client tells: by ``data_collection``, or ``send_default_pii``."""
    client = sentry_sdk.get_client()
    asked: dict[str, Any] = client.options.get("data_collection") or {}
    if asked.get("provided_by_user"):
        told = asked.get("gen_ai") or {}
        return Consent(bool(told.get("inputs")), bool(told.get("outputs")))
    allowed = client.should_send_default_pii()
    return Consent(allowed, allowed)
