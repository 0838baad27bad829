"""A client of Sentry's that keeps what it would send."""

from __future__ import annotations

import json
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport


class Kept(Transport):
    """Keeps envelopes in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Any] = []
        self.is_killed = False

    def capture_envelope(self, envelope: Any) -> None:
        self.envelopes.append(envelope)

    def kill(self) -> None:
        self.is_killed = True

    def items(self, kind: str) -> list[Any]:
        """Return what was sent of a kind: event, transaction or span."""
        self._flush()
        return [
            json.loads(item.get_bytes())
            for envelope in list(self.envelopes)
            for item in envelope.items
            if item.type == kind
        ]

    def events(self) -> list[Any]:
        return self.items("event")

    def spans(self) -> list[dict[str, Any]]:
        """Return all spans alike, whether they were sent one by one or with a transaction."""
        transactions = self.items("transaction")
        recorded = [span for each in transactions for span in [_root(each), *each["spans"]]]
        streamed = [_plain(span) for each in self.items("span") for span in each["items"]]
        return recorded + streamed

    def text(self) -> str:
        self._flush()
        told = [item.get_bytes() for each in list(self.envelopes) for item in each.items]
        return b"\n".join(told).decode()

    def _flush(self) -> None:
        client = sentry_sdk.get_client()
        if client.transport is self:
            client.flush()


def set_up_client(**options: Any) -> Kept:
    """Have all threads tell a client that keeps it; `sentry_sdk.init` would do more."""
    close_client()
    kept = Kept()
    told = {
        "dsn": "http://key@127.0.0.1/1",
        "transport": kept,
        "default_integrations": False,
        "enable_backpressure_handling": False,
        "traces_sample_rate": 1.0,
        **options,
    }
    sentry_sdk.get_global_scope().set_client(sentry_sdk.Client(**told))
    return kept


def close_client() -> None:
    """End the client that is told, if there is one, and its threads.

    They draw from Python's `random`, which Hypothesis takes for a test's doing.
    """
    scope = sentry_sdk.get_global_scope()
    scope.client.close(timeout=0)
    scope.set_client(None)


def _root(transaction: Any) -> dict[str, Any]:
    place = transaction["contexts"]["trace"]
    return {**place, "description": transaction["transaction"]}


def _plain(span: Any) -> dict[str, Any]:
    data = {name: each["value"] for name, each in span["attributes"].items()}
    return {
        **span,
        "description": span["name"],
        "op": data.get("sentry.op"),
        "data": data,
    }
