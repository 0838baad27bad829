"""Streamlit: runs as boxes in an app's page, while they run."""

from __future__ import annotations

from callboard.integrations.streamlit.expander import MutableExpander
from callboard.integrations.streamlit.handler import StreamlitCallbackHandler
from callboard.integrations.streamlit.labels import LLMThoughtLabeler, ToolRecord

__all__ = ["LLMThoughtLabeler", "MutableExpander", "StreamlitCallbackHandler", "ToolRecord"]
