"""What every run tells of the process that it runs in, in the terms of the LangSmith SDK."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from typing import Any

import callboard
from callboard.environment import remembered
from callboard.langsmith import settings

__all__ = ["environment_metadata", "runtime"]

_PREFIXES = ("LANGSMITH_", "LANGCHAIN_")
# Told elsewhere, or nobody's affair.
_LEFT_OUT = frozenset(
    {
        "LANGCHAIN_ENDPOINT",
        "LANGCHAIN_PROJECT",
        "LANGCHAIN_SESSION",
        "LANGCHAIN_TRACING_V2",
        "LANGSMITH_AGENT_ENVIRONMENT",
        "LANGSMITH_AGENT_ID",
        "LANGSMITH_RUNS_ENDPOINTS",
    }
)
_SECRETS = ("cred", "email", "jwk", "key", "pass", "pwd", "secret", "token")
_REVISIONS = ("LANGSMITH_REVISION_ID", "LANGCHAIN_REVISION_ID")
_LIBRARIES = ("langchain", "langchain_core")


@cache
def runtime() -> dict[str, str]:
    """Return what the process runs on."""
    versions = {
        f"{name}_version": str(version)
        for name in _LIBRARIES
        if (version := getattr(sys.modules.get(name), "__version__", None))
    }
    return {
        "sdk": "callboard-py",
        "sdk_version": callboard.__version__,
        "library": "callboard",
        "platform": platform.platform(),
        "runtime": "python",
        "py_implementation": platform.python_implementation(),
        "runtime_version": platform.python_version(),
        **versions,
    }


@remembered
def environment_metadata() -> dict[str, Any]:
    """Return what the environment says of tracing, as metadata; nothing that may be a secret.

    A revision that is named in ``LANGSMITH_REVISION_ID`` is ``revision_id``, and the share of
    traces that are sent, if it is not all, ``ls_tracing_sample_rate``.
    """
    told: dict[str, Any] = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PREFIXES) and _may_be_told(name, value)
    }
    revisions = [told.pop(name, None) for name in _REVISIONS]
    if revision := next(filter(None, revisions), None):
        told["revision_id"] = revision
    if settings.sampling_rate() < 1:
        told["ls_tracing_sample_rate"] = settings.sampling_rate()
    return told


def _may_be_told(name: str, value: str) -> bool:
    is_secret = any(each in name.lower() for each in _SECRETS)
    return not is_secret and name not in _LEFT_OUT and "@" not in value
