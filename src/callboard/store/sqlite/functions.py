"""SQL functions of a connection that reads: conditions for which SQL has no words.

They are about entries and searched text, and the law of filters itself answers them
(`callboard.query.evaluation`). What a function has to be told of, a node, it is told by a number.
"""

from __future__ import annotations

from typing import Any, Protocol

import apsw

from callboard.query.entries import entries_of, number_of
from callboard.query.evaluation import matches
from callboard.query.facts import RunFacts
from callboard.query.nodes import Entry, Search
from callboard.query.patterns import fits
from callboard.store.derived import ERROR_LENGTH, error_of, read
from callboard.store.sqlite.codec import Reader
from callboard.store.sqlite.schema import payload_key
from callboard.store.sqlite.values import json_text

__all__ = ["Functions", "Handles"]

_PARTS = {"input": "inputs", "output": "outputs"}


class Handles(Protocol):
    """Gives nodes numbers by which SQL can name them."""

    def handle(self, node: Entry | Search) -> int:
        """Return the number of a node, for the length of a query."""
        ...


class Functions:
    """The functions of one connection.

    ===================================  ======================================================
    ``metadata_fits(node, metadata)``    whether an entry of metadata is as the node has it
    ``payload_fits(node, rid)``          the same of an entry of inputs or outputs
    ``mentions(node, rid, name, error)`` whether the text of a run has the terms of a search
    ``whole_error(rid, error)``          an error, of which the row has the beginning
    ``like_fits(text, pattern)``         whether a text is of a pattern
    ``number_in(text)``                  the number that a text is, or null
    ``values_of(key, metadata)``         the values of a key of metadata, as a JSON list of text
    ===================================  ======================================================
    """

    def __init__(self, db: apsw.Connection, payloads: Reader) -> None:
        self._payloads = payloads
        self._nodes: list[Entry | Search] = []
        self.payloads_read = 0
        functions: list[tuple[str, Any, int]] = [
            ("metadata_fits", self._metadata_fits, 2),
            ("payload_fits", self._payload_fits, 2),
            ("mentions", self._mentions, 4),
            ("whole_error", self._whole_error, 2),
            ("like_fits", fits, 2),
            ("number_in", number_of, 1),
            ("values_of", _values_of, 2),
        ]
        for name, function, count in functions:
            db.create_scalar_function(name, function, count, deterministic=True)

    def handle(self, node: Entry | Search) -> int:
        """Return the number of a node, until `forget`."""
        self._nodes.append(node)
        return len(self._nodes) - 1

    def forget(self) -> None:
        """Forget the nodes of the query that is done."""
        self._nodes.clear()
        self.payloads_read = 0

    def _metadata_fits(self, handle: int, metadata: str | None) -> bool:
        if metadata is None:
            return False
        return matches(self._nodes[handle], RunFacts(metadata=read(metadata.encode())))

    def _payload_fits(self, handle: int, rid: int) -> bool:
        node = self._nodes[handle]
        assert isinstance(node, Entry)  # noqa: S101 - for the type checker
        part = _PARTS[node.kind]
        facts = {part: self._part(rid, part)}
        return matches(node, RunFacts(**facts))

    def _mentions(self, handle: int, rid: int, name: str, error: str | None) -> bool:
        node = self._nodes[handle]
        fields = {"name": name, "error": self._whole_error(rid, error)}
        needs_payloads = isinstance(node, Search) and node.field not in {"name", "error"}
        inputs = self._part(rid, "inputs") if needs_payloads else None
        outputs = self._part(rid, "outputs") if needs_payloads else None
        return matches(node, RunFacts(fields, inputs=inputs, outputs=outputs))

    def _whole_error(self, rid: int, error: str | None) -> str | None:
        if error is None or len(error) < ERROR_LENGTH:
            return error
        whole = self._payloads.read(payload_key(rid, "error"))
        return error if whole is None else error_of(whole)

    def _part(self, rid: int, part: str) -> Any:
        data = self._payloads.read(payload_key(rid, part))
        self.payloads_read += 1
        return None if data is None else read(data)


def _values_of(key: str, metadata: str | None) -> str:
    found = entries_of(read(metadata.encode())) if metadata else ()
    return json_text(list(dict.fromkeys(text for path, text in found if path == key)))
