"""PostHog's handler, with a client that keeps what it would send."""

import sys
from typing import Any

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

from posthog import Posthog
from posthog.ai.langchain import CallbackHandler
from workload import plain, print_tree, work

kept: list[Any] = []


def keep(event: Any) -> None:
    """Keep an event, and have it sent nowhere."""
    kept.append(event)


client = Posthog("key", host="http://127.0.0.1:9", before_send=keep, sync_mode=True)
work(
    lambda: {"callbacks": [CallbackHandler(client=client, distinct_id="user")], "tags": ["tagged"]}
)
client.shutdown()

MEASURED = ("$ai_latency", "$ai_time_to_first_token")
spans = []
for event in kept:
    told = event["properties"]
    shown = {
        name: "..." if name in MEASURED else told[name]
        for name in sorted(told)
        if name.startswith("$ai_")
    }
    own = str(told.get("$ai_span_id") or told.get("$ai_generation_id") or told["$ai_trace_id"])
    parent = str(told["$ai_parent_id"]) if told.get("$ai_parent_id") else None
    spans.append((own, parent, f"{event['event']} {plain(shown)}"))
print_tree(spans)
