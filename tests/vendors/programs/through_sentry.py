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


# Where calls are made side by side, the integration makes one the parent of another, as they come.
AS_THEY_COME = "hasty agent"


def place(span: dict[str, Any], by_id: dict[str, Any]) -> str:
    """Return the names of the spans around one inside an agent; of the outermost, if need be."""
    names = [str(span["name"])]
    while span.get("parent_span_id") in by_id:
        span = by_id[span["parent_span_id"]]
        names.append(str(span["name"]))
    if "agent" not in names[-1]:
        return "-"
    return names[-1] if AS_THEY_COME in names[-1] else " in ".join(names[1:])


items = [item for envelope in kept for item in envelope.items]
errors = [item.get_event()["exception"]["values"] for item in items if item.type == "event"]
spans = [
    span
    for item in items
    if item.type == "span"
    for span in json.loads(item.payload.get_bytes())["items"]
]
by_id = {span["span_id"]: span for span in spans}
print(*sorted(f"{line(span)} in {place(span, by_id)}" for span in spans), sep="\n")
print(*sorted(str([(each["type"], each["value"]) for each in error]) for error in errors), sep="\n")
