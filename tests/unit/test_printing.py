"""The handlers that print to the terminal."""

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    CallbackManager,
    StdOutCallbackHandler,
    StreamingStdOutCallbackHandler,
)
from callboard.payloads import AgentAction, AgentFinish

RED = "\x1b[31;1m\x1b[1;3m{}\x1b[0m"
BLUE = "\x1b[36;1m\x1b[1;3m{}\x1b[0m"


@pytest.fixture
def run():
    def start(handler, serialized=None, **kwargs):
        manager = CallbackManager([handler], [handler])
        return manager.on_chain_start(serialized, {}, **kwargs)

    return start


def test_a_chain_is_announced_when_it_starts_and_ends(run, capsys):
    chain = run(StdOutCallbackHandler(), {"name": "lookup"})
    assert capsys.readouterr().out == "\n\n\x1b[1m> Entering new lookup chain...\x1b[0m\n"
    chain.on_chain_end({})
    assert capsys.readouterr().out == "\n\x1b[1m> Finished chain.\x1b[0m\n"


@pytest.mark.parametrize(
    ("serialized", "told", "name"),
    [
        ({"name": "component"}, {"name": "given"}, "given"),
        ({"name": "component", "id": ["a", "Class"]}, {}, "component"),
        ({"id": ["langchain", "chains", "Class"]}, {}, "Class"),
        ({"id": []}, {}, "<unknown>"),
        ({}, {"name": None}, "<unknown>"),
        ({}, {}, "<unknown>"),
        (None, {}, "<unknown>"),
        (None, {"name": "given"}, "given"),
    ],
)
def test_a_chains_name_is_the_one_given_else_its_components(run, capsys, serialized, told, name):
    run(StdOutCallbackHandler(), serialized, **told)
    assert f"> Entering new {name} chain..." in capsys.readouterr().out


def test_an_agents_steps_are_printed(run, capsys):
    chain = run(StdOutCallbackHandler())
    capsys.readouterr()
    chain.on_agent_action(AgentAction("search", "query", "Let me search."))
    chain.on_agent_finish(AgentFinish({}, "I know."))
    assert capsys.readouterr().out == "Let me search.I know.\n"


def test_an_agents_steps_may_be_dictionaries(run, capsys):
    chain = run(StdOutCallbackHandler())
    capsys.readouterr()
    chain.on_agent_action({"tool": "search", "log": "Let me search."})
    chain.on_agent_finish({"return_values": {}})
    assert capsys.readouterr().out == "Let me search.\n"


def test_a_tools_output_is_printed_between_its_prefixes(run, capsys):
    tool = run(StdOutCallbackHandler()).get_child().on_tool_start({}, "in")
    capsys.readouterr()
    tool.on_tool_end({"any": "value"})
    assert capsys.readouterr().out == "{'any': 'value'}"
    tool.on_tool_end(4, observation_prefix="Observation: ", llm_prefix="Thought:")
    assert capsys.readouterr().out == "\nObservation: 4\nThought:"


def test_a_text_is_printed_with_its_end(run, capsys):
    chain = run(StdOutCallbackHandler())
    capsys.readouterr()
    chain.on_text("one", end="\n")
    chain.on_text("two")
    assert capsys.readouterr().out == "one\ntwo"


def test_colours_are_the_handlers_or_the_events_own(run, capsys):
    chain = run(StdOutCallbackHandler(color="red"))
    tool = chain.get_child().on_tool_start({}, "in")
    capsys.readouterr()
    chain.on_text("a")
    chain.on_text("b", color="blue")
    chain.on_agent_action(AgentAction("t", "", "c"))
    chain.on_agent_finish(AgentFinish({}, "d"))
    tool.on_tool_end("e", color="blue")
    assert capsys.readouterr().out == (
        RED.format("a")
        + BLUE.format("b")
        + RED.format("c")
        + RED.format("d")
        + "\n"
        + BLUE.format("e")
    )


def test_a_colour_that_an_event_makes_up_is_left_out(run, capsys):
    chain = run(StdOutCallbackHandler())
    capsys.readouterr()
    chain.on_text("plain", color="ultraviolet")
    assert capsys.readouterr().out == "plain"


@pytest.mark.parametrize("color", ["blue", "yellow", "pink", "green", "red"])
def test_every_colour_is_what_langchain_prints(run, capsys, color):
    from langchain_core.callbacks import StdOutCallbackHandler as Theirs

    Theirs(color).on_text("text")
    theirs = capsys.readouterr().out
    StdOutCallbackHandler(color).on_text("text")
    assert capsys.readouterr().out == theirs


def test_it_prints_to_wherever_stdout_is_when_it_prints(capsys):
    handler = StdOutCallbackHandler()
    handler.on_text("captured")
    assert capsys.readouterr().out == "captured"
    assert handler.color is None


@pytest.mark.parametrize(
    ("token", "printed"),
    [
        ("text", "text"),
        ("", ""),
        (["a", {"type": "text", "text": "b"}], "ab"),
        ([{"type": "image", "data": "..."}, {"type": "text", "text": "c"}], "c"),
        ([{"type": "tool_call_chunk", "args": "{"}], ""),
        ([{"type": "text"}], ""),
        ([], ""),
    ],
)
async def test_streamed_tokens_are_printed_as_they_come(token, printed, capsys):
    handler = StreamingStdOutCallbackHandler()
    (run,) = CallbackManager([handler]).on_llm_start({}, ["prompt"])
    run.on_llm_new_token(token)
    assert capsys.readouterr().out == printed
    (arun,) = await AsyncCallbackManager([handler]).on_llm_start({}, ["prompt"])
    await arun.on_llm_new_token(token)
    assert capsys.readouterr().out == printed


def test_tokens_are_flushed_at_once(monkeypatch):
    class Screen:
        def __init__(self):
            self.shown, self.held = "", ""

        def write(self, text):
            self.held += text

        def flush(self):
            self.shown, self.held = self.shown + self.held, ""

    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    StreamingStdOutCallbackHandler().on_llm_new_token("token")
    assert screen.shown == "token"


def test_only_tokens_are_printed_by_the_streaming_handler(capsys):
    handler = StreamingStdOutCallbackHandler()
    manager = CallbackManager([handler], [handler])
    chain = manager.on_chain_start({"name": "c"}, {})
    chain.get_child().on_chat_model_start({}, [[("user", "hi")]])[0].on_llm_end({})
    chain.on_text("text")
    chain.on_chain_end({})
    assert capsys.readouterr().out == ""
