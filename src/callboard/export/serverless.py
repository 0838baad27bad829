"""Serverless: where a process may be frozen as soon as it has answered.

A thread that would send half a second later does not get to, and the end of a trace arrives with
the next request, or never. The table says how such a place is known.
"""

from __future__ import annotations

from callboard.environment import value_of

__all__ = ["PLACES", "is_serverless"]

PLACES = {
    "AWS Lambda": "AWS_LAMBDA_FUNCTION_NAME",
    "Google Cloud Functions": "FUNCTION_TARGET",
    "Google Cloud Functions, first generation": "FUNCTION_NAME",
    "Azure Functions": "FUNCTIONS_WORKER_RUNTIME",
}
"""The environment variable that each of them sets."""


def is_serverless() -> bool:
    """Whether this process runs in one of `PLACES`."""
    return any(value_of(name) for name in PLACES.values())
