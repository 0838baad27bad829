"""A sink that is a store in the same process: traces in a file, with no server between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from callboard.errors import BadBodyError, SinkUnavailableError, StoreError
from callboard.export.sinks.base import Limits
from callboard.store.base import Store
from callboard.wire import json
from callboard.wire.heads import checked
from callboard.wire.operations import Operation

__all__ = ["StoreSink"]

logger = logging.getLogger(__name__)

# What the parent of a fork has open. To close it here would be a word to the other end.
_left_to_the_parent: list[Store] = []


class StoreSink:
    """Writes operations to a store, which is opened when the first come."""

    def __init__(self, open_store: Callable[[], Store], limits: Limits | None = None) -> None:
        """Make a sink.

        Args:
            open_store: Opens the store, such as ``partial(SqliteStore.open, "traces.db")``; in a
                child of a fork it is called once more.
            limits: How much is written in one transaction.
        """
        self._open = open_store
        self._store: Store | None = None
        self._limits = limits or Limits(operations=1_000)

    def limits(self) -> Limits:
        """Return how much may be sent at once."""
        return self._limits

    def send(self, operations: Sequence[Operation]) -> None:
        """Write operations: durable when it returns. Those that no store takes are logged.

        Raises:
            SinkUnavailableError: The store can't be written now; all of them can be sent again.
        """
        taken = [each for operation in operations if (each := _encoded(operation)) is not None]
        try:
            if self._store is None:
                self._store = self._open()
            for rejection in self._store.write(taken):
                _refuse(rejection.id, rejection.reason)
        except StoreError as error:
            raise SinkUnavailableError(str(error)) from error

    def close(self) -> None:
        """Close the store."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def after_fork(self) -> None:
        """Begin anew: what is open is the parent's."""
        if self._store is not None:
            _left_to_the_parent.append(self._store)
            self._store = None


def _encoded(operation: Operation) -> Operation | None:
    """Return an operation as it would come over the wire; None if it would be refused there."""
    try:
        head = checked(json.decode(json.encode(operation.head)), operation.run_id)
    except BadBodyError as error:
        _refuse(operation.run_id, str(error))
        return None
    parts = {
        name: part if type(part) is bytes else json.encode(part)
        for name, part in operation.parts.items()
        if part is not None
    }
    return Operation(operation.kind, operation.run_id, head, parts, operation.attachments)


def _refuse(run_id: object, reason: str) -> None:
    logger.warning("Run %s is not traced as it was told: %s", run_id, reason)
