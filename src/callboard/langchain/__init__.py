"""Callboard in LangChain's place: one line, before LangChain is imported.

    import callboard.langchain

    callboard.langchain.install()

From then on whatever imports ``langchain_core.callbacks`` gets Callboard's: LangChain itself,
LangGraph, and everybody's handlers. Nothing is changed unless this is called. Without it,
`to_langchain` makes Callboard's handlers acceptable where LangChain checks classes.
"""

from callboard.langchain.adapters import to_langchain
from callboard.langchain.installation import TESTED_VERSIONS, install, installed, uninstall

__all__ = ["TESTED_VERSIONS", "install", "installed", "to_langchain", "uninstall"]
