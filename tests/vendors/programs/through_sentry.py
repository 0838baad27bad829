"""Sentry's integration, with a transport that keeps what it is given."""

import json
import sys
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import sentry_sdk
from sentry_sdk.integrations.langchain import LangchainIntegration
from sentry_sdk.integrations.langgraph import LanggraphIntegration
from sentry_sdk.transport import Transport
from workload import plain, work

kept: list[Any] = []


class Keeping(Transport):
    def capture_envelope(self, envelope: Any) -> None:
        kept.append(envelope)


sentry_sdk.init(
    dsn="http://key@127.0.0.1:9/1",
    transport=Keeping,
    traces_sample_rate=1.0,
    send_default_pii=True,
    default_integrations=False,
    integrations=[LangchainIntegration(), LanggraphIntegration()],
)
with sentry_sdk.start_transaction(name="work"):
    work(lambda: {"tags": ["tagged"]})
sentry_sdk.flush()

# What two runs of a program differ in, besides ids: threads have names by number, and numbers.
UNLIKE = ("thread.id", "thread.name")


def line(span: dict[str, Any]) -> str:
    """Return a span as a line of text."""
    told = {
        name: attribute["value"]
        for name, attribute in sorted(span["attributes"].items())
        if name not in UNLIKE
    }
    return f"{span['name']} {span['status']} {plain(told)}"


def outermost(span: dict[str, Any], by_id: dict[str, Any]) -> str:
    """Return the name of the outermost span around one, if it is an agent's.

    Of calls side by side the integration makes one the parent of another, as they come.
    """
    while span.get("parent_span_id") in by_id:
        span = by_id[span["parent_span_id"]]
    return str(span["name"]) if "agent" in span["name"] else "-"


items = [item for envelope in kept for item in envelope.items]
errors = [item.get_event()["exception"]["values"] for item in items if item.type == "event"]
spans = [
    span
    for item in items
    if item.type == "span"
    for span in json.loads(item.payload.get_bytes())["items"]
]
by_id = {span["span_id"]: span for span in spans}
print(*sorted(f"{line(span)} in {outermost(span, by_id)}" for span in spans), sep="\n")
print(*sorted(str([(each["type"], each["value"]) for each in error]) for error in errors), sep="\n")
