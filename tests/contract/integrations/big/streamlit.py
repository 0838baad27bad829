"""Streamlit: a session as the script of an app has it, read back with the reader of its AppTest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit import container
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
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
from callboard.integrations.streamlit.boxes import DONE, FAILED
from tests.contract.integrations.platforms import Platform


def prepare() -> None:
    """There is nothing to begin."""


def finish() -> None:
    """There is nothing to end."""


@contextmanager
def session(page: ForwardMsgQueue) -> Iterator[None]:
    """Be a session's script, whose page is told to a queue."""
    before = get_script_run_ctx(suppress_warning=True)
    context = ScriptRunContext(
        session_id="contract",
        _enqueue=page.enqueue,
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
    page = ForwardMsgQueue()
    with session(page):
        handler = StreamlitCallbackHandler(container(), **options)

    def ended() -> int:
        shown = parse_tree_from_messages(page._queue).main
        # What is an expander to Streamlit 1.67, is a status to earlier ones.
        boxes = [*shown.get("expander"), *shown.get("status")]
        return sum(box.icon in {DONE, FAILED} for box in boxes)

    return Platform(handler, lambda: "\n".join(map(str, page._queue)), ended, streams=True)
