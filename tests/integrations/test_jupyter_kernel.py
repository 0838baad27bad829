"""Trees of runs in a notebook: executed by a real kernel, its outputs read back."""

import os
import re
from pathlib import Path

import pytest

pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("nbclient", reason="nbclient is not installed")

import nbformat
from nbclient import NotebookClient

from tests.unit.integrations.test_lines import HOSTILE, Reader

ROOT = Path(__file__).parents[2]

CELLS = {
    "a run": """
from callboard.integrations import JupyterCallbackHandler
from tests.unit.integrations.scenes import PRICES, manager_of, serve
handler = JupyterCallbackHandler(prices=PRICES)
serve(handler)
""",
    "in threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    list(pool.map(serve, [handler] * 4))
""",
    "in tasks": """
import asyncio
_ = await asyncio.gather(*(asyncio.to_thread(serve, handler) for _ in range(2)))
""",
    "streamed": """
import time
root = manager_of(handler).on_chain_start(None, {}, name="agent")
[model] = root.get_child().on_chat_model_start(None, [[("user", "x")]], name="m")
for _ in range(1_000):
    model.on_llm_new_token("word ")
time.sleep(0.5)
""",
    "without threads": """
from unittest.mock import patch
with patch("threading.Timer.start", side_effect=RuntimeError("can't start new thread")):
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    [model] = root.get_child().on_chat_model_start(None, [[("user", "x")]], name="m")
    for _ in range(1_000):
        model.on_llm_new_token("word ")
    root.on_chain_end({})
""",
    "hostile": f"""
root = manager_of(handler).on_chain_start(None, {{}}, name={"".join(HOSTILE)!r})
root.on_chain_end({{}})
""",
    "unfinished": """
handler = JupyterCallbackHandler()
root = manager_of(handler).on_chain_start(None, {}, name="agent")
tool = root.get_child().on_tool_start(None, "x", name="search")
root.on_chain_end({})
handler.close()
""",
    "redacted": """
from callboard.redaction import Redaction
for name in ("ada@example.com", "agent"):
    handler = JupyterCallbackHandler(redaction=Redaction("emails"))
    root = manager_of(handler).on_chain_start(None, {"mail": "ada@example.com"}, name=name)
    root.on_chain_end({"mail": "ada@example.com"})
""",
}


@pytest.fixture(scope="module")
def notebook():
    """What each cell shows, and how many messages have shown it."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    client = Counting(
        nbformat.v4.new_notebook(cells=cells),
        timeout=50,
        resources={"metadata": {"path": str(ROOT)}},
    )
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    client.execute(env={**os.environ, "PYTHONPATH": path})
    return dict(zip(CELLS, [(each.outputs, client.shown[each.id]) for each in cells], strict=True))


class Counting(NotebookClient):
    """Counts the messages that show or update something, by cell."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.shown = {}

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] in {"display_data", "update_display_data"}:
            self.shown[cell.id] = self.shown.get(cell.id, 0) + 1
        return super().process_message(msg, cell, cell_index)


def shown(notebook, cell):
    outputs, _ = notebook[cell]
    assert {each.output_type for each in outputs} == {"display_data"}
    return [each.data for each in outputs]


def test_a_run_is_a_tree_in_its_cell_with_text_for_those_who_show_only_text(notebook):
    [tree] = shown(notebook, "a run")
    assert [re.sub(r" \d.*", "", line) for line in tree["text/plain"].splitlines()] == [
        "✓ chain agent",
        "├── ✓ retriever shelf",
        "├── ✓ chat_model ChatOpenAI",
        "└── ✗ tool search",
    ]
    read = Reader(tree["text/html"])
    assert "100+20 tokens $140.000000" in read.text
    assert "assistant: Tea." in read.text
    assert "✗ tool search" in read.text
    assert notebook["a run"][1] <= 3


@pytest.mark.parametrize(("cell", "count"), [("in threads", 4), ("in tasks", 2)])
def test_runs_in_threads_and_tasks_are_drawn_to_the_end_in_the_cell_that_runs(
    notebook, cell, count
):
    trees = shown(notebook, cell)
    assert len(trees) == count
    assert all(each["text/plain"].startswith("✓ chain agent") for each in trees)
    assert all("●" not in each["text/html"] for each in trees)


def test_text_is_drawn_while_it_comes_but_not_for_each_token(notebook):
    [tree] = shown(notebook, "streamed")
    assert "● chat_model m" in Reader(tree["text/html"]).text
    assert tree["text/html"].count("word ") == 400
    assert notebook["streamed"][1] < 100


def test_where_there_are_no_threads_it_is_drawn_on_the_way_and_at_the_end(notebook):
    [tree] = shown(notebook, "without threads")
    assert tree["text/plain"].startswith("✓ chain agent")
    assert notebook["without threads"][1] < 100


def test_what_strangers_wrote_is_text_in_the_notebook(notebook):
    [tree] = shown(notebook, "hostile")
    assert "".join(HOSTILE) in Reader(tree["text/html"]).text
    assert not {"script", "img", "iframe"} & Reader(tree["text/html"]).elements


def test_what_never_ends_is_drawn_as_unfinished_though_its_root_has_ended(notebook):
    [tree] = shown(notebook, "unfinished")
    assert "? tool search" in tree["text/plain"]


def test_what_is_redacted_is_not_shown(notebook):
    for tree in shown(notebook, "redacted"):
        assert "ada@example.com" not in tree["text/html"] + tree["text/plain"]
        assert "mail" in tree["text/html"]
