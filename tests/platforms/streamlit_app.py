"""An app whose agent uses tools in parallel, looks something up, fails once, and answers."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import streamlit as st

from callboard.callbacks import CallbackManager
from callboard.integrations import StreamlitCallbackHandler
from callboard.payloads import AIMessage, ChatGeneration, Document, LLMResult
from callboard.prices import PriceTable

QUESTION = "Where is my tea, and how do I brew it?"
ANSWER = """Your order **4711** left Hamburg on Monday and arrives on *Thursday*.

| Tea | Water | Minutes |
| --- | --- | --- |
| Assam | 95 °C | 4 |
| Sencha | 70 °C | 2 |

Do not let it boil."""
PRICES = PriceTable.load([{"name": "test", "model": "gpt-5", "prompt": 1.25, "completion": 10.0}])


def ask(manager, answer, tool_calls=(), until=None):
    """Have a model answer; with `until`, as slowly as one does, and half of it once that exists."""
    [run] = manager.on_chat_model_start(None, [[("user", QUESTION)]], name="ChatOpenAI")
    for token in answer.split(" "):
        run.on_llm_new_token(f"{token} ")
        while until is not None:
            time.sleep(0.06)
            if token != "95" or until.exists():
                break
    usage = {"input_tokens": 420, "output_tokens": 60, "total_tokens": 480}
    message = AIMessage(answer, usage_metadata=usage, tool_calls=list(tool_calls))
    run.on_llm_end(LLMResult([[ChatGeneration(message)]]))


def use(manager, tool, given, returned):
    run = manager.on_tool_start(None, str(given), name=tool, inputs=given)
    time.sleep(0.3)
    if isinstance(returned, Exception):
        run.on_tool_error(returned)
    else:
        run.on_tool_end(returned)


def look_up(manager):
    chain = manager.on_chain_start(None, {"query": "brewing Assam"}, name="brewing advice")
    inner = chain.get_child()
    found = [
        Document("Assam: 95 °C, four minutes.", {"source": "black.md"}),
        Document("Sencha: 70 °C, two minutes.", {"source": "green.md"}),
    ]
    inner.on_retriever_start(None, "brewing Assam", name="tea handbook").on_retriever_end(found)
    ask(inner, "Assam takes four minutes at 95 °C.")
    chain.on_chain_end({"advice": "Assam takes four minutes at 95 °C."})


def agent(handler, until):
    known = {"ls_model_name": "gpt-5", "ls_provider": "openai"}
    manager = CallbackManager.configure([handler], inheritable_metadata=known)
    root = manager.on_chain_start(None, {"question": QUESTION}, name="support agent")
    inner = root.get_child()
    calls = [
        {"name": "find_order", "args": {"customer": "Ada"}, "id": "1"},
        {"name": "track", "args": {"order": 4711, "carrier": "DHL"}, "id": "2"},
    ]
    ask(inner, "", calls)
    with ThreadPoolExecutor(2) as pool:
        order = {"order": 4711, "items": ["Assam", "Sencha"], "state": "sent"}
        pool.submit(use, inner, "find_order", {"customer": "Ada"}, order)
        late = TimeoutError("DHL did not answer within 2 s.")
        pool.submit(use, inner, "track", {"order": 4711, "carrier": "DHL"}, late)
    use(inner, "track", {"order": 4711, "carrier": "post"}, "Left Hamburg on Monday.")
    look_up(inner)
    ask(inner, ANSWER, until=until)
    root.on_chain_end({"answer": ANSWER})
    return ANSWER


def page(until):
    st.header("Tea desk")
    with st.chat_message("user"):
        st.write(QUESTION)
    with st.chat_message("assistant"):
        handler = StreamlitCallbackHandler(
            st.container(), collapse_completed_thoughts=False, prices=PRICES
        )
        st.write(agent(handler, until))


if __name__ == "__main__":
    page(Path(st.query_params["until"]))
