"""Apps of Gradio's, each in a process of its own: what Gradio leaves behind there is nobody's."""

import sys

import gradio

from callboard.integrations import GradioCallbackHandler
from callboard.payloads import Document
from tests.unit.integrations.scenes import PRICES, manager_of, serve

MARKUP = (
    "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
    " [x](javascript:alert(1)) ![x](/beacon.png)"
)
QUESTION = "Where is my tea, and how do I brew it?"
HOSTILE = f"</code></pre>\n```\n{MARKUP}"


def chat():
    """A chat whose answers stream."""

    def respond(message, history):
        handler = GradioCallbackHandler(prices=PRICES)
        yield from handler.watch(serve, handler)

    return gradio.ChatInterface(respond)


def page():
    """What is shown of runs in which everything is hostile, in the middle of them."""
    handler = GradioCallbackHandler()
    root = manager_of(handler).on_chain_start(None, {"question": HOSTILE}, name=HOSTILE)
    tool = root.get_child().on_tool_start({"name": HOSTILE}, HOSTILE)
    tool.on_tool_error(ValueError(HOSTILE))
    root.get_child().on_tool_start({"name": "show"}, HOSTILE)  # Running, and so unfolded.
    [model] = root.get_child().on_chat_model_start(None, [[("user", "?")]], name="ChatOpenAI")
    model.on_llm_new_token(MARKUP)
    with gradio.Blocks() as app:
        gradio.Chatbot(value=handler.messages)
    return app


def turn():
    """A turn whose answer is coming, as the documentation shows it."""
    handler = GradioCallbackHandler(prices=PRICES)
    root = manager_of(handler).on_chain_start(None, {"question": QUESTION}, name="support agent")
    inner = root.get_child()
    found = inner.on_retriever_start(None, "brewing Assam", name="tea handbook")
    found.on_retriever_end([Document("Assam: 95 °C, three to five minutes.")])
    order = inner.on_tool_start({"name": "find_order"}, "Ada", inputs={"customer": "Ada"})
    order.on_tool_end("500 g of Assam, sent on Monday")
    inner.on_tool_start({"name": "track"}, "A-17").on_tool_error(TimeoutError("no answer in 2 s"))
    [model] = inner.on_chat_model_start(None, [[("user", QUESTION)]], name="ChatOpenAI")
    model.on_llm_new_token("Your **Assam** was sent on Monday. Let it draw at 95 °C for")
    asked = gradio.ChatMessage(role="user", content=QUESTION)
    with gradio.Blocks() as app:
        gradio.Chatbot(value=[asked, *handler.messages], height=520)
    return app


if __name__ == "__main__":
    app = {"chat": chat, "page": page, "turn": turn}[sys.argv[1]]()
    _, url, _ = app.launch(
        prevent_thread_lock=True, server_name="127.0.0.1", quiet=True, ssr_mode=False
    )
    print(url, flush=True)
    sys.stdin.read()  # Until nobody needs it any more.
