"""A program whose runs go to several servers, and to an agent's address.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first; the second
server's address is the last argument.
"""

import sys

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import langsmith
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import tracing_v2_enabled
from langchain_core.tracers.langchain import wait_for_all_tracers

url = sys.argv[-1]
chain = RunnableLambda(lambda x: {"y": x}, name="inner") | RunnableLambda(
    lambda x: langsmith.traceable(lambda y: y, name="by the SDK")(x["y"]), name="outer"
)
replicas = [
    {"project_name": "first", "primary": True},
    {
        "api_url": url,
        "auth": {"api_key": "the other key"},
        "project_name": "second",
        "updates": {"tags": ["replicated"]},
    },
    {
        "api_url": url,
        "auth": {"service_key": "a service", "tenant_id": "a tenant"},
        "address": langsmith.agent_address("replica-agent", "staging"),
    },
]
with langsmith.tracing_context(replicas=replicas):
    chain.invoke(1, {"run_name": "replicated"})

with tracing_v2_enabled(address=langsmith.agent_address("some-agent", "local")):
    chain.invoke(2, {"run_name": "addressed"})

with langsmith.tracing_context(project_name="by context", tags=["around"]):
    chain.invoke(3, {"run_name": "in a project"})

wait_for_all_tracers()
langsmith.run_trees.get_cached_client().flush()
