"""Streamlit: a session as the script of an app has it, read back with the reader of its AppTest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit import container
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import (
    ScriptRunContext,
    add_script_run_ctx,
    get_script_run_ctx,
)
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.testing.v1.element_tree import parse_tree_from_messages

from callboard.integrations import StreamlitCallbackHandler
from tests.contract.integrations.platforms import Platform


@contextmanager
def session(told: list[Any]) -> Iterator[None]:
    """Be a session's script, whose page is told to a list."""
    before = get_script_run_ctx(suppress_warning=True)
    context = ScriptRunContext(
        session_id="contract",
        _enqueue=told.append,
        query_string="",
        session_state=SafeSessionState(SessionState(), lambda: None),
        uploaded_file_mgr=MemoryUploadedFileManager("/uploads"),
        main_script_path="",
        user_info={},
        fragment_storage=MemoryFragmentStorage(),
        pages_manager=PagesManager(""),
    )
    add_script_run_ctx(threading.current_thread(), context)
    try:
        yield
    finally:
        add_script_run_ctx(threading.current_thread(), before)


def platform(**options: Any) -> Platform:
    told: list[Any] = []
    with session(told):
        handler = StreamlitCallbackHandler(container(), **options)

    def ended() -> int:
        page = parse_tree_from_messages(told).main
        return sum(box.state != "running" for box in page.get("status"))

    return Platform(handler, lambda: "\n".join(map(str, told)), ended, streams=True)
