"""What the environment says of tracing, in the LangSmith SDK's variables.

Each is read as ``LANGSMITH_X``, else as ``LANGCHAIN_X``, once (see `callboard.environment`).
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from callboard.environment import remembered, value_of
from callboard.errors import BadOptionError
from callboard.redaction import Redaction

__all__ = [
    "DEFAULT_ENDPOINT",
    "api_key",
    "endpoint",
    "hides",
    "project",
    "redaction",
    "sampling_rate",
    "spool_directory",
    "tracing_enabled",
    "workspace",
]

logger = logging.getLogger(__name__)

DEFAULT_ENDPOINT = "https://api.smith.langchain.com"
_ON = frozenset({"true", "1", "yes", "on"})
_OFF = frozenset({"false", "0", "no", "off"})


def _told(*names: str) -> str | None:
    for name in names:
        for prefix in ("LANGSMITH_", "LANGCHAIN_"):
            if told := value_of(prefix + name):
                return told.strip().strip("\"'")
    return None


def _is_on(*names: str) -> bool:
    return (_told(*names) or "").lower() in _ON


@remembered
def tracing_enabled() -> bool:
    """Whether runs are to be traced: ``TRACING_V2``, else ``TRACING``, is true."""
    return _is_on("TRACING_V2", "TRACING")


@remembered
def endpoint() -> str:
    """Return the server to send runs to: ``ENDPOINT``, a URL."""
    return _told("ENDPOINT") or DEFAULT_ENDPOINT


@remembered
def api_key() -> str | None:
    """Return the key to send with them: ``API_KEY``."""
    return _told("API_KEY")


@remembered
def workspace() -> str | None:
    """Return the workspace that the key is for: ``WORKSPACE_ID``."""
    return _told("WORKSPACE_ID")


@remembered
def project() -> str:
    """Return the project that runs belong to: ``PROJECT``, else ``SESSION``, else default."""
    return _told("PROJECT", "SESSION") or "default"


@remembered
def hides(what: str) -> bool:
    """Whether what runs are given, or return, or their metadata, is not to leave the process.

    Args:
        what: ``"INPUTS"``, ``"OUTPUTS"`` or ``"METADATA"``: the variable is ``HIDE_...``.
    """
    return _is_on(f"HIDE_{what}")


@remembered
def redaction() -> Redaction | None:
    """Return what is not to leave the process, None if all may.

    ``HIDE_INPUTS``, ``HIDE_OUTPUTS`` and ``HIDE_METADATA``; ``CALLBOARD_REDACT``, the names of
    ready-made rules with commas between them; ``CALLBOARD_CONTENT``, which is on, off, or errors:
    off but for what errors say. What can't be understood is said, and turns content off.
    """
    rules = [name.strip() for name in (value_of("CALLBOARD_REDACT") or "").split(",")]
    try:
        content = _content()
        asked = Redaction(
            *filter(None, rules),
            hide_inputs=hides("INPUTS"),
            hide_outputs=hides("OUTPUTS"),
            hide_metadata=hides("METADATA"),
            content=content in _ON,
            error_messages=content == "errors",
        )
    except BadOptionError as error:
        _complain_of_redaction(str(error))
        return Redaction(content=False)
    return asked or None


def _content() -> str:
    told = (value_of("CALLBOARD_CONTENT") or "").strip().lower() or "on"
    if told in _ON or told in _OFF or told == "errors":
        return told
    raise BadOptionError(f"CALLBOARD_CONTENT is {told!r}; it takes on, off or errors.")


@cache
def _complain_of_redaction(what: str) -> None:
    logger.error(
        "It is not clear what may leave the process, so runs are sent without content: %s", what
    )


@remembered
def sampling_rate() -> float:
    """Return the share of traces to send: ``TRACING_SAMPLING_RATE``, from 0 to 1; 1 if unset."""
    told = _told("TRACING_SAMPLING_RATE")
    if told is None:
        return 1.0
    try:
        rate = float(told)
    except ValueError:
        rate = -1.0
    if 0 <= rate <= 1:
        return rate
    _warn_of_rate(told)
    return 1.0


@remembered
def spool_directory() -> Path | None:
    """Return where operations wait on disk that can't be sent; None if they are not to.

    ``CALLBOARD_SPOOL_DIR`` names it, or is empty to have none. It is ``callboard/spool`` in the
    user's cache directory otherwise (XDG Base Directory Specification: ``XDG_CACHE_HOME``; on
    Windows ``LOCALAPPDATA``).
    """
    told = value_of("CALLBOARD_SPOOL_DIR")
    if told is not None:
        return Path(told) if told else None
    cache = value_of("XDG_CACHE_HOME") or value_of("LOCALAPPDATA") or "~/.cache"
    return Path(cache) / "callboard" / "spool"


@cache
def _warn_of_rate(told: str) -> None:
    logger.warning(
        "LANGSMITH_TRACING_SAMPLING_RATE must be a number from 0 to 1, got %r: all are sent.",
        told,
    )
