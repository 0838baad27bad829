"""What happens in an application, for the tests of integrations to see it told."""

from callboard.callbacks import CallbackManager
from callboard.payloads import AIMessage, ChatGeneration, Document, HumanMessage, LLMResult
from callboard.prices import PriceTable

MODEL = {"ls_model_name": "gpt-5", "ls_provider": "openai", "session_id": "s-1"}
PRICES = PriceTable.load(
    [{"name": "test", "model": "gpt-5.*", "prompt": 1_000_000.0, "completion": 2_000_000.0}]
)
"""A dollar for a token that is given, two for one that is returned."""
USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "input_token_details": {"cache_read": 40, "cache_creation": 10},
    "output_token_details": {"reasoning": 5},
}
CALL = {"name": "search", "args": {"query": "tea"}, "id": "call-1"}


def answer(text="Tea.", *, usage=USAGE, model="gpt-5-2025", tool_calls=()):
    said = {"id": "resp-1", "finish_reason": "stop", "model_name": model}
    message = AIMessage(
        text, response_metadata=said, usage_metadata=usage, tool_calls=list(tool_calls)
    )
    return LLMResult([[ChatGeneration(message)]])


def manager_of(*handlers, kind=CallbackManager, tags=(), **metadata):
    return kind.configure(
        list(handlers),
        inheritable_metadata={**MODEL, **metadata},
        inheritable_tags=list(tags) or None,
    )


def ask(manager, text="What is drunk here?", response=None, **parameters):
    """Have a model answer, in two tokens."""
    messages = [[("system", "Be brief."), HumanMessage(text)]]
    [run] = manager.on_chat_model_start(
        None, messages, name="ChatOpenAI", invocation_params={"model": "gpt-5", **parameters}
    )
    run.on_llm_new_token("Te")
    run.on_llm_new_token("a.")
    run.on_llm_end(answer() if response is None else response)


def serve(*handlers):
    """An agent that looks something up, asks a model, uses a tool that fails."""
    root = manager_of(*handlers).on_chain_start(None, {"question": "?"}, name="agent")
    inner = root.get_child()
    inner.on_retriever_start(None, "tea", name="shelf").on_retriever_end(
        [Document("On tea", {"score": 0.5}, id="d-1")]
    )
    ask(inner, temperature=0.5, max_tokens=50, stop=["END"], seed=7, tools=[{"name": "search"}])
    tool = inner.on_tool_start(
        {"name": "search"}, "tea", inputs={"query": "tea"}, tool_call_id="call-1"
    )
    tool.on_tool_error(ValueError("no leaves"))
    root.on_chain_end({"answer": "Tea."})
