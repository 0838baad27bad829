"""A program that uses all that LangChain adds to managers: tracers, hooks, debugging, groups.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first. What it
prints must be the same either way.
"""

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import MagicMock

os.environ["LANGSMITH_TRACING"] = "false"

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import langsmith
from langchain_core.callbacks import CallbackManager, get_usage_metadata_callback
from langchain_core.callbacks.manager import trace_as_chain_group
from langchain_core.globals import set_debug
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs, tracing_v2_enabled

client = MagicMock(spec=langsmith.Client)
double = RunnableLambda(lambda x: 2 * x, name="double")
chain = double | RunnableLambda(lambda x: x + 1, name="add")


def kinds(handlers):
    return [type(handler).__name__ for handler in handlers]


def show(title, manager):
    print(title, kinds(manager.handlers), kinds(manager.inheritable_handlers), manager.tags)


show("nothing", CallbackManager.configure())
with collect_runs() as collected:
    show("collect_runs", CallbackManager.configure())
    chain.invoke(1)
    print([(run.name, run.outputs, len(run.child_runs)) for run in collected.traced_runs])

with get_usage_metadata_callback():
    show("usage", CallbackManager.configure())

set_debug(True)
with redirect_stdout(StringIO()) as printed:
    double.invoke(1)
show("debug", CallbackManager.configure(verbose=True))
set_debug(False)
print("printed", "double" in printed.getvalue())
show("verbose", CallbackManager.configure(verbose=True))

with tracing_v2_enabled("project", client=client, tags=["traced"]) as tracer:
    manager = CallbackManager.configure(
        langsmith_inheritable_metadata={"who": "me"}, langsmith_inheritable_tags=["also"]
    )
    show("tracing", manager)
    for handlers in (manager.handlers, manager.inheritable_handlers):
        print([(each.tracing_metadata, each.tags, each.project_name) for each in handlers])
    chain.invoke(1)
    print(tracer.latest_run.name, tracer.latest_run.session_name, client.create_run.call_count)
    with trace_as_chain_group("group", tags=["grouped"]) as group:
        show("group", group)
        double.invoke(1, {"callbacks": group})
    print(tracer.latest_run.name, tracer.latest_run.tags)

with (
    langsmith.tracing_context(enabled=True, client=client, project_name="other"),
    trace_as_chain_group("group", project_name="named") as group,
):
    show("named group", group)
    print([handler.project_name for handler in group.handlers])


@langsmith.traceable(client=client, tags=["outer"], metadata={"from": "outside"})
def outside():
    parent = langsmith.get_current_run_tree()
    manager = CallbackManager.configure()
    show("traceable", manager)
    print(manager.parent_run_id == parent.id, manager.handlers[0].tracing_metadata["from"])
    print(manager.handlers[0].order_map[parent.id][0] == parent.trace_id)
    return chain.invoke(1)


with langsmith.tracing_context(enabled=True, client=client):
    print(outside())
