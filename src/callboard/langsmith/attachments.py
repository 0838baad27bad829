"""Attachments: files that belong to a run, read when the run is told of.

A run has them by name, each as its mime type and its content, or the path of the file that
holds it: the form that the LangSmith SDK has for them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from callboard.export.notices import Notices
from callboard.wire.operations import Attachment

__all__ = ["MAX_BYTES", "read_attachments"]

MAX_BYTES = 20 * 1024 * 1024
"""How big an attachment may be."""

_notices = Notices(logging.getLogger(__name__))


def read_attachments(files: Mapping[str, Any]) -> dict[str, Attachment]:
    """Return those attachments that can be sent; of the others it is said once why they can't.

    Args:
        files: By name, each a mime type with bytes or a path.
    """
    told: dict[str, Attachment] = {}
    for name, file in files.items():
        try:
            told[str(name)] = _read(file)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the run is sent
            _notices.once(
                type(error).__name__,
                "The attachment %r is not sent: %s. Others like it are left out in silence.",
                name,
                error,
            )
    return told


def _read(file: Any) -> Attachment:
    if not isinstance(file, tuple | list) or len(file) != 2 or not isinstance(file[0], str):
        raise TypeError(f"it is {_shown(file)}; it takes a mime type and bytes, or a path")
    mime_type, content = file
    if isinstance(content, PurePath):
        return Attachment(mime_type, _content_of(Path(content)))
    if isinstance(content, bytes | bytearray | memoryview):
        _check(len(content))
        return Attachment(mime_type, bytes(content))
    raise TypeError(f"its content is {_shown(content)}; it takes bytes, or a Path to a file")


def _content_of(path: Path) -> bytes:
    _check(path.stat().st_size)
    with path.open("rb") as file:  # It may have grown, or be no file of any size, as a device.
        content = file.read(MAX_BYTES + 1)
    _check(len(content))
    return content


def _check(size: int) -> None:
    if size > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")


def _shown(value: Any) -> str:
    return f"of type {type(value).__name__}"
