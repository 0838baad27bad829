"""The quarantine: operations that were dropped for what they are, kept to be looked at.

It is a spool in the spool's directory, ``quarantine``: as private, bounded, and nobody sends what
is in it. Who has found out what was wrong, and has put it right, sends it by naming that
directory as the spool of an exporter.
"""

from __future__ import annotations

from collections.abc import Sequence

from callboard.export.spool.spool import Spool
from callboard.wire.operations import Operation

__all__ = ["quarantine"]


def quarantine(operations: Sequence[Operation], spool: Spool | None) -> str:
    """Keep operations that are dropped, if that can be done.

    Args:
        operations: Which.
        spool: Beside which spool; None if there is none.

    Returns:
        A sentence that says where they are kept, or why they are not.
    """
    if spool is None:
        return "It is not kept, as there is no spool."
    appended = spool.quarantine.append(operations)
    if appended.error is not None:
        return f"It is not kept, as the disk does not take it: {appended.error.strerror}."
    if appended.refused:
        return f"It is not kept, as {spool.quarantine.directory} has no room for it."
    return f"It is kept in {spool.quarantine.directory}."
