"""Trees of runs, as text and as HTML: what is drawn of many, of deep and of hostile ones."""

import io
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.clock import clock_from
from callboard.integrations.lines import LinesHandler, plain_tree
from callboard.integrations.markup import brief, html_tree
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, manager_of, serve


class Drawing(LinesHandler):
    """Keeps what it would draw."""

    def __init__(self, **options):
        super().__init__(**options)
        self.trees, self.changes = [], 0

    def tree_started(self, root):
        self.trees.append(root)

    def line_changed(self, line):
        self.changes += 1

    def tree_ended(self, root):
        pass

    def shown(self, record):
        return brief(record.inputs if record.status == "running" else record.outputs)


class Reader(HTMLParser):
    """Reads HTML: its elements, what they have, and its text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.text, self.depth = set(), set(), "", 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.depth += 1

    def handle_endtag(self, tag):
        self.depth -= 1

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def test_a_tree_is_lines_of_text():
    handler = Drawing(prices=PRICES)
    with clock_from(StepClock()):
        serve(handler)
    [root] = handler.trees
    assert plain_tree(root).splitlines() == [
        "✓ chain agent 8.00 s",
        "├── ✓ retriever shelf 1.00 s",
        "├── ✓ chat_model ChatOpenAI 2.00 s 100+20 tokens $140.000000",
        "└── ✗ tool search 1.00 s ValueError: no leaves",
    ]


def test_a_tree_is_boxes_that_fold():
    handler = Drawing()
    serve(handler)
    html = html_tree(handler.trees[0])
    read = Reader(html)
    assert read.elements == {"div", "details", "summary", "span", "pre"}
    assert read.depth == 0
    assert html.count("<summary>") == 5  # The runs, and the root's content.
    assert '{"question": "?"}' in read.text
    assert '{"answer": "Tea."}' in read.text
    assert "ValueError: no leaves" in read.text


HOSTILE = [
    "<script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</pre></details><iframe src=//x>",
    "<!-- ",
    "&lt;b&gt;",
    "]]><?php",
]


def drawn_with(text):
    """Draw a tree that says a text wherever there is a place for it."""
    handler = Drawing()
    root = manager_of(handler).on_chain_start(None, {text: text}, name=text)
    inner = root.get_child()
    inner.on_tool_start(None, text, name=text).on_tool_error(ValueError(text))
    inner.on_tool_start(None, text, name=text).on_tool_end(text)
    [model] = inner.on_chat_model_start(None, [[("user", text)]], name=text)
    model.on_llm_new_token(text)
    return handler.trees[0]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_wrote_is_text(text):
    read = Reader(html_tree(drawn_with(text)))
    assert read.elements == {"div", "details", "summary", "span", "pre"}
    assert read.attributes == {"class", "open", "style"}
    assert read.text.count(text) >= 6


anything = st.text(st.characters(codec=None), min_size=1, max_size=40)


@given(anything)
def test_no_text_at_all_is_markup(text):
    html = html_tree(drawn_with(text))
    html.encode()
    read = Reader(html)
    assert read.elements == {"div", "details", "summary", "span", "pre"}
    assert read.attributes == {"class", "open", "style"}
    assert read.depth == 0


def test_notebooks_find_no_mathematics_in_it():
    assert html_tree(drawn_with("$x$")).startswith(
        '<div class="tex2jax_ignore mathjax_ignore"><details'
    )


@given(anything)
def test_a_run_is_one_line_of_text_whatever_it_says(text):
    lines = plain_tree(drawn_with(text)).split("\n")
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


def test_of_many_steps_the_last_are_kept_and_of_deep_ones_the_outermost():
    handler = Drawing()
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    for number in range(250):
        root.get_child().on_tool_start(None, "x", name=f"tool {number}").on_tool_end("y")
    lines = plain_tree(handler.trees[0]).splitlines()
    assert lines[1] == "├── 150 more not shown"
    assert "tool 150" in lines[2]
    assert "150 more not shown" in html_tree(handler.trees[0])
    deep = root
    for _ in range(2_000):
        deep = deep.get_child().on_chain_start(None, {}, name="step")
    assert "    └── 1 more not shown" in plain_tree(handler.trees[0])
    assert Reader(html_tree(handler.trees[0])).depth == 0


def test_what_is_said_is_kept_as_far_as_it_is_drawn():
    handler = Drawing()
    [model] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="m")
    for _ in range(10_000):
        model.on_llm_new_token("word ")
    assert handler.changes == 10_000
    assert len(handler.trees[0].text) == 2_000
    assert len(brief("x" * 10_000)) == 2_001


def test_outside_of_a_notebook_a_tree_is_written_when_it_is_done(capsys):
    pytest.importorskip("IPython", reason="IPython is not installed")
    from callboard.integrations import JupyterCallbackHandler

    stream = io.StringIO()
    with clock_from(StepClock()):
        serve(JupyterCallbackHandler(stream=stream))
    assert stream.getvalue().startswith("✓ chain agent 8.00 s\n├── ")
    serve(JupyterCallbackHandler())
    assert capsys.readouterr().out.startswith("✓ chain agent")
