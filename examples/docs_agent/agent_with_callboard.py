"""The same application, with Callboard's callbacks in LangChain's place, and Callboard's tracer."""

import os
import sys

import callboard.langchain

callboard.langchain.install()

from callboard.tracers import LangChainTracer  # noqa: E402 - install() comes before LangChain
from examples.docs_agent.agent import converse  # noqa: E402 - likewise

if __name__ == "__main__":
    # The variable is heard by LangChain's own tracer, too, and one is enough.
    os.environ["LANGSMITH_TRACING"] = "false"
    tracer = LangChainTracer()
    converse(sys.argv[2:], thread_id=sys.argv[1], callbacks=[tracer])
    tracer.wait_for_futures()
