"""Apps of Gradio's, each in a process of its own: what Gradio leaves behind there is nobody's."""

import sys

import gradio

from callboard.integrations import GradioCallbackHandler
from tests.unit.integrations.scenes import PRICES, manager_of, serve

MARKUP = (
    "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
    " [x](javascript:alert(1)) ![x](/beacon.png)"
)
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


if __name__ == "__main__":
    app = {"chat": chat, "page": page}[sys.argv[1]]()
    _, url, _ = app.launch(
        prevent_thread_lock=True, server_name="127.0.0.1", quiet=True, ssr_mode=False
    )
    print(url, flush=True)
    sys.stdin.read()  # Until nobody needs it any more.
