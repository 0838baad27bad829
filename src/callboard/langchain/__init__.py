"""Callboard in LangChain's place."""
