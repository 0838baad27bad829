"""The same application, with Callboard's callbacks and tracers in LangChain's place."""

import sys

import callboard.langchain

callboard.langchain.install()

from examples.docs_agent.agent import converse  # noqa: E402 - install() comes before LangChain

if __name__ == "__main__":
    converse(sys.argv[2:], thread_id=sys.argv[1])
