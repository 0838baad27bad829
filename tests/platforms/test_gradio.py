"""Runs in a chat of Gradio's: its own messages, an app that is served, and a page in a browser."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest

pytest.importorskip("gradio", minversion="6", reason="Gradio 6 is not installed: make platforms")

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # It would tell its makers of each app.

import gradio
from gradio_client import Client

from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.integrations import GradioCallbackHandler
from callboard.payloads import AIMessage, ToolMessage
from callboard.redaction import Redaction
from callboard.testing import StepClock
from tests.platforms.browser import browser
from tests.unit.integrations.scenes import PRICES, answer, ask, manager_of, serve

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("default"),  # Those of Gradio and what it brings are not ours.
]


def titles(messages):
    """The thoughts, each as its title and those around it."""
    known = {each.metadata["id"]: each.metadata for each in messages if "id" in each.metadata}

    def path(metadata):
        above = known.get(metadata.get("parent_id"))
        return [*(path(above) if above else []), metadata["title"]]

    return [" > ".join(path(each)) for each in known.values()]


def answers(messages):
    return [each.content for each in messages if not each.metadata]


def test_an_application_is_a_tree_of_thoughts_and_an_answer():
    handler = GradioCallbackHandler(prices=PRICES)
    with clock_from(StepClock()):
        serve(handler)
    messages = handler.messages
    assert all(isinstance(each, gradio.ChatMessage) for each in messages)
    assert titles(messages) == [
        "agent",
        "agent > 🔎 shelf",
        "agent > 💬 ChatOpenAI",
        "agent > ❌ search\\: ValueError\\: no leaves",
    ]
    agent, shelf, chat, search = (each for each in messages if each.metadata)
    assert agent.metadata["status"] == "done"
    assert chat.metadata["duration"] == 2.0
    assert chat.metadata["log"] == "100+20 tokens, $140.000000"
    assert '"page_content": "On tea"' in shelf.content
    assert search.content == '```json\n{"query":"tea"}\n```\n\n```text\nValueError: no leaves\n```'


def test_a_text_or_a_message_is_shown_as_its_text():
    handler = GradioCallbackHandler()
    tool = manager_of(handler).on_tool_start({"name": "search"}, "tea")
    tool.on_tool_end(ToolMessage("leaves", tool_call_id="call-1"))
    assert handler.messages[0].content == "```text\ntea\n```\n\n```text\nleaves\n```"


def test_gradio_takes_the_messages_as_they_are():
    handler = GradioCallbackHandler()
    serve(handler)
    taken = gradio.Chatbot().postprocess(handler.messages).root
    assert [each.metadata["title"] for each in taken if each.metadata][:1] == ["agent"]


def test_what_a_model_says_is_the_answer_until_something_follows():
    handler = GradioCallbackHandler()
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    [chat] = root.get_child().on_chat_model_start(None, [[("user", "?")]], name="ChatOpenAI")
    chat.on_llm_new_token("Let me ")
    chat.on_llm_new_token("look.")
    assert answers(handler.messages) == ["Let me look."]
    chat.on_llm_end(answer("Let me look."))
    parser = root.get_child().on_chain_start(None, {}, name="parse")
    parser.on_chain_end({})
    assert answers(handler.messages) == ["Let me look."]
    tool = root.get_child().on_tool_start({"name": "search"}, "tea")
    assert answers(handler.messages) == []
    assert handler.messages[1].content == "```text\nLet me look.\n```"
    tool.on_tool_end("leaves")
    ask(root.get_child())
    root.on_chain_end({})
    assert answers(handler.messages) == ["Tea."]
    assert handler.messages[-2].content == ""


@pytest.mark.parametrize(
    "returned",
    [
        "Tea.",
        {"output": "Tea."},
        {"input": "?", "answer": "Tea."},
        {"messages": [("user", "?"), AIMessage("Tea.")]},
        AIMessage("Tea."),
    ],
)
def test_without_a_model_the_answer_is_what_the_outermost_run_returned(returned):
    handler = GradioCallbackHandler()
    manager_of(handler).on_chain_start(None, {}, name="agent").on_chain_end(returned)
    assert answers(handler.messages) == ["Tea."]


def test_an_application_that_wants_to_answer_itself_gets_thoughts_only():
    handler = GradioCallbackHandler(answer=False)
    serve(handler)
    assert answers(handler.messages) == []
    assert "Tea." in handler.messages[2].content


def test_a_call_is_watched_from_another_thread_and_its_result_returned():
    handler = GradioCallbackHandler(refresh_per_second=1_000)
    goes_on = threading.Event()

    def agent(question):
        root = manager_of(handler).on_chain_start(None, {"question": question}, name="agent")
        goes_on.wait(30)
        ask(root.get_child())
        root.on_chain_end({})
        return "done"

    seen, results = [], []

    def respond():
        results.append((yield from handler.watch(agent, question="?")))

    for messages in respond():
        seen.append(messages)
        goes_on.set()
    assert results == ["done"]
    assert seen[0][0].metadata["status"] == "pending"
    assert seen[-1][0].metadata["status"] == "done"
    assert answers(seen[-1]) == ["Tea."]


def test_many_tokens_are_few_messages():
    handler = GradioCallbackHandler(refresh_per_second=5)

    def stream():
        [chat] = manager_of(handler).on_chat_model_start(None, [[("user", "?")]], name="c")
        for _ in range(5_000):
            chat.on_llm_new_token("tea ")
        chat.on_llm_end(answer("tea " * 5_000))

    seen = list(handler.watch(stream))
    assert len(seen) < 500
    assert answers(seen[-1]) == ["tea " * 5_000]


def test_what_a_call_raises_is_raised_after_it_was_shown():
    handler = GradioCallbackHandler()

    def agent():
        error = ValueError("no leaves")
        manager_of(handler).on_chain_start(None, {}, name="agent").on_chain_error(error)
        raise error

    watched = handler.watch(agent)
    [shown] = next(watched)
    assert shown.metadata["title"] == "❌ agent\\: ValueError\\: no leaves"
    assert shown.metadata["status"] == "done"
    with pytest.raises(ValueError, match="no leaves"):
        list(watched)


async def test_a_coroutine_is_watched():
    handler = GradioCallbackHandler(refresh_per_second=1_000)

    async def agent():
        manager = manager_of(handler, kind=AsyncCallbackManager)
        root = await manager.on_chain_start(None, {}, name="agent")
        await asyncio.sleep(0.05)
        await root.on_chain_end("Tea.")

    seen = [messages async for messages in handler.awatch(agent())]
    assert seen[0][0].metadata["status"] == "pending"
    assert answers(seen[-1]) == ["Tea."]


async def test_a_coroutine_that_nobody_watches_any_more_is_cancelled():
    handler = GradioCallbackHandler(refresh_per_second=1_000)
    ended = []

    async def agent():
        manager = manager_of(handler, kind=AsyncCallbackManager)
        root = await manager.on_chain_start(None, {}, name="agent")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            await root.on_chain_error(error)
            ended.append(error)
            raise

    watched = handler.awatch(agent())
    await anext(watched)
    await watched.aclose()
    assert ended
    assert handler.messages[0].metadata["status"] == "done"


def test_tools_in_threads_each_have_their_thought_in_their_parents():
    handler = GradioCallbackHandler()
    root = manager_of(handler).on_chain_start(None, {}, name="agent")

    def use_tool(number):
        tool = root.get_child().on_tool_start({"name": f"tool {number}"}, "x")
        tool.on_tool_end("y")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use_tool, range(20)))
    root.on_chain_end({})
    expected = [f"agent > 🔧 tool {number}" for number in range(20)]
    assert sorted(titles(handler.messages)[1:]) == sorted(expected)


def test_thoughts_and_their_texts_are_bounded():
    handler = GradioCallbackHandler(max_thoughts=5, max_text=10)
    root = manager_of(handler).on_chain_start(None, {}, name="agent")
    for number in range(30):
        tool = root.get_child().on_tool_start({"name": f"tool {number}"}, "x" * 1_000)
        tool.on_tool_end("y" * 1_000)
    assert titles(handler.messages) == [
        "agent",
        *(f"agent > 🔧 tool {number}" for number in range(26, 30)),
    ]
    assert max(len(each.content) for each in handler.messages) < 100


def test_what_never_ends_is_shown_as_such():
    handler = GradioCallbackHandler()
    ask(manager_of(handler).on_chain_start(None, {}, name="agent").get_child())
    handler.close()
    agent, *_ = handler.messages
    assert agent.metadata["title"] == "❔ agent"
    assert agent.metadata["status"] == "done"


def test_a_secret_is_shown_in_no_part_of_a_stream():
    handler = GradioCallbackHandler(redaction=Redaction("emails"))
    [chat] = manager_of(handler).on_chat_model_start(None, [[("user", "?")]], name="c")
    chat.on_llm_new_token("ada@exam")
    assert "ada@" not in str(handler.messages)
    chat.on_llm_end(answer("ada@example.com"))
    assert answers(handler.messages) == ["<email>"]


def test_without_content_there_are_titles_only():
    handler = GradioCallbackHandler(content=False)
    serve(handler)
    assert len(handler.messages) == 4
    assert [each.content for each in handler.messages[:3]] == ["", "", ""]


# In an app.


@contextmanager
def served(app):
    """Serve an app on loopback, in a process of its own; returns its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.platforms.gradio_apps", app],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_a_chat_that_is_served_streams_thoughts_and_the_answer():
    with served("chat") as url:
        *_, last = Client(url, verbose=False).submit("?", api_name="/respond")
    assert [each["metadata"].get("title") for each in last] == [
        "agent",
        "🔎 shelf",
        "💬 ChatOpenAI",
        "❌ search\\: ValueError\\: no leaves",
        None,
    ]
    assert last[-1]["content"] == "Tea."


def test_a_turn_is_seen_while_its_answer_comes(tmp_path, pictures):
    with served("turn") as url, browser(tmp_path / "browser") as page:
        page.resize(760, 600)
        page.open(url)
        shown = page.wait_for("Let it draw")
        time.sleep(2)  # Thoughts unfold slowly.
        picture = page.picture()
    assert shown.index("support agent") < shown.index("tea handbook") < shown.index("find_order")
    assert "track: TimeoutError: no answer in 2 s" in shown
    assert picture.startswith(b"\x89PNG")
    (pictures / "gradio.png").write_bytes(picture)


def test_nothing_in_a_run_becomes_markup_in_the_page(tmp_path):
    """Names, inputs, outputs and errors are shown as they are; the answer is cleaned by Gradio."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with served("page") as url:
        browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        browser += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=15000", url]
        shown = subprocess.run(
            browser, capture_output=True, check=True, text=True, timeout=100
        ).stdout
    assert "<title>Gradio</title>" in shown
    chat = shown[shown.index("bubble-wrap") : shown.index("<footer")]
    thoughts, _, answered = chat.rpartition("💬 ChatOpenAI")
    assert "&lt;script&gt;document.title='hacked'&lt;/script&gt;" in thoughts
    assert not {"x", "/beacon.png"} & set(Elements.of(thoughts).sources)
    for part in (thoughts, answered):
        assert not Elements.of(part).that_act


class Elements(HTMLParser):
    """What a page loads for its pictures, and what in it could run."""

    def __init__(self):
        super().__init__()
        self.sources, self.that_act = [], []

    @classmethod
    def of(cls, page):
        elements = cls()
        elements.feed(page)
        return elements

    def handle_starttag(self, tag, attrs):
        told = {name: value or "" for name, value in attrs}
        self.sources += [told["src"]] if "src" in told else []
        acts = tag == "script" or any(name.startswith("on") for name in told)
        if acts or told.get("href", "").startswith("javascript"):
            self.that_act.append((tag, attrs))
