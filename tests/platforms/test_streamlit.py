"""Runs in a Streamlit app, read back with Streamlit's own AppTest."""

import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed: make platforms")

from streamlit.testing.v1 import AppTest

from callboard.integrations.streamlit.boxes import DONE, FAILED, RUNNING

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("default"),  # Those of Streamlit are not ours.
]

STATES = {RUNNING: "running", DONE: "done", FAILED: "failed", "": "-"}


def shown(script):
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def boxes(block, depth=0):
    """The boxes of an app, as an indented list of label and state."""
    for child in block.children.values():
        inner = depth
        # What is an expander to Streamlit 1.67, is a status to earlier ones.
        if getattr(child, "type", "") in {"expander", "status"}:
            yield "  " * depth + f"{child.label.split(' (')[0]} [{STATES[child.icon]}]"
            inner += 1
        if hasattr(child, "children"):
            yield from boxes(child, inner)


def values(elements):
    return [each.value for each in elements]


def test_an_application_is_nested_boxes_that_all_end():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import PRICES, serve

        serve(StreamlitCallbackHandler(st.container(), prices=PRICES))

    app = shown(script)
    assert list(boxes(app.main)) == [
        "**Complete!** agent [done]",
        "  :material/search: shelf [done]",
        "  :material/chat: ChatOpenAI [done]",
        "  **search:** `tea` [failed]",
    ]
    labels = [box.label for kind in ("expander", "status") for box in app.get(kind)]
    assert [label for label in labels if label.endswith("120 tokens · \\$140.0000)")]
    assert values(app.markdown) == ["Tea."]
    assert values(app.code) == ["?", "tea", 'On tea\n{"score":0.5}']
    assert values(app.error) == ["```text\nValueError: no leaves\n```"]


def test_parallel_tools_in_threads_each_have_their_box():
    """langchain 18684, streamlit 12051: NoSessionContext, and of two tools one was lost."""

    def script():
        from concurrent.futures import ThreadPoolExecutor

        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container(), max_thought_containers=9)
        root = manager_of(handler).on_chain_start(None, {}, name="agent")

        def use_tool(number):
            tool = root.get_child().on_tool_start(None, "x", name=f"tool {number}")
            tool.on_tool_end("y")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use_tool, range(7)))
        root.on_chain_end({})

    told = list(boxes(shown(script).main))
    assert sorted(told[1:]) == [f"  **tool {n}:** `x` [done]" for n in range(7)]


def test_of_many_boxes_the_earlier_ones_move_into_the_history():
    """As many are shown as the option says, the history among them, in the order of the runs."""

    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        root = manager_of(StreamlitCallbackHandler(st.container())).on_chain_start(
            None, {}, name="agent"
        )
        for number in range(6):
            inner = root.get_child().on_chain_start(None, {}, name=f"step {number}")
            tool = inner.get_child().on_tool_start(None, str(number), name="count")
            tool.on_tool_end(f"counted {number}")
            inner.on_chain_end({})

    app = shown(script)
    assert list(boxes(app.main)) == [
        "agent [running]",
        "  **History** [-]",
        *(
            line
            for number in range(3)
            for line in (f"    step {number} [done]", f"      **count:** `{number}` [done]")
        ),
        *(
            line
            for number in range(3, 6)
            for line in (f"  step {number} [done]", f"    **count:** `{number}` [done]")
        ),
    ]
    assert values(app.code) == [f"counted {number}" for number in range(6)]


def test_with_room_for_one_box_the_earlier_ones_are_taken_away():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import serve

        handler = StreamlitCallbackHandler(st.container(), max_thought_containers=1)
        serve(handler)
        serve(handler)

    assert list(boxes(shown(script).main)) == [
        "**Complete!** agent [done]",
        "  **search:** `tea` [failed]",
    ]


def test_what_comes_to_a_box_that_is_done_is_drawn_below_what_is_there():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        run = manager_of(StreamlitCallbackHandler(st.container())).on_chain_start(
            None, {"question": "tea?"}, name="agent"
        )
        run.on_chain_end({"answer": "Tea."})
        run.get_child().on_tool_start(None, "x", name="late").on_tool_end("it came")

    app = shown(script)
    assert list(boxes(app.main)) == ["**Complete!** agent [done]", "  **late:** `x` [done]"]
    assert values(app.code) == ["tea?", "Tea.", "it came"]


def test_what_comes_to_a_box_that_is_in_the_history_is_drawn_there():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container(), max_thought_containers=2)
        manager = manager_of(handler)
        early = manager.on_chain_start(None, {}, name="early")
        late = early.get_child().on_tool_start(None, "x", name="late")
        early.on_chain_end({})
        manager.on_chain_start(None, {}, name="next").on_chain_end({})
        manager.on_chain_start(None, {}, name="after").on_chain_end({})
        late.on_tool_end("it came")
        early.get_child().on_tool_start(None, "y", name="later").on_tool_end("and more")

    app = shown(script)
    assert list(boxes(app.main)) == [
        "**History** [-]",
        "  **Complete!** early [done]",
        "    **late:** `x` [done]",
        "    **later:** `y` [done]",
        "  **Complete!** next [done]",
        "**Complete!** after [done]",
    ]
    assert values(app.code) == ["it came", "and more"]


def test_what_comes_to_a_box_that_has_been_taken_away_is_not_drawn():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container(), max_thought_containers=1)
        manager = manager_of(handler)
        early = manager.on_chain_start(None, {}, name="early")
        late = early.get_child().on_tool_start(None, "x", name="late")
        early.on_chain_end({})
        manager.on_chain_start(None, {}, name="next").on_chain_end({})
        late.on_tool_end("it came")
        early.get_child().on_tool_start(None, "y", name="later").on_tool_end("and more")

    app = shown(script)
    assert list(boxes(app.main)) == ["**Complete!** next [done]"]
    assert values(app.code) == []


def test_a_thread_of_a_pool_is_given_back_to_whom_it_belongs():
    def script():
        from concurrent.futures import ThreadPoolExecutor

        import streamlit as st
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import serve

        handler = StreamlitCallbackHandler(st.container())
        with ThreadPoolExecutor(1) as pool:
            pool.submit(serve, handler).result()
            left = pool.submit(get_script_run_ctx, suppress_warning=True).result()
        st.write(f"left: {left}")

    assert "left: None" in values(shown(script).markdown)


def test_what_never_ends_and_the_last_thought_are_closed():
    """The former handler's last thought stayed 'Thinking...' for ever."""

    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container())
        root = manager_of(handler).on_chain_start(None, {}, name="agent")
        root.get_child().on_chat_model_start(None, [[("user", "x")]], name="left alone")
        root.on_chain_end({})
        manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
        handler.close()

    assert list(boxes(shown(script).main)) == [
        "**Complete!** agent [done]",
        "  :material/chat: left alone [failed]",
        ":material/chat: c [failed]",
    ]


def test_text_that_streams_is_drawn_so_many_times_a_second_and_complete_at_the_end():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container(), refresh_per_second=0.001)
        [run] = manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
        for number in range(1_000):
            run.on_llm_new_token(f"{number} ")
        # The browser is told no more than this before the next thousand seconds are over.
        st.session_state.drawn = handler._answers[run.run_id].element.given
        run.on_llm_error(ValueError("cut off"))

    app = shown(script)
    assert app.session_state.drawn == ("0 ▌",)
    [text] = values(app.markdown)
    assert text.endswith("998 999")


def test_runs_that_are_hidden_have_no_box_and_what_is_in_them_has():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        root = manager_of(StreamlitCallbackHandler(st.container())).on_chain_start(
            None, {}, name="agent"
        )
        manager = root.get_child()
        manager.add_tags(["langsmith:hidden"], inherit=False)
        hidden = manager.on_chain_start(None, {"secret": "plumbing"}, name="ChannelWrite")
        hidden.get_child().on_tool_start(None, "x", name="search").on_tool_end("y")
        hidden.on_chain_end({"written": "plumbing"})
        root.on_chain_end({})

    app = shown(script)
    assert list(boxes(app.main)) == ["**Complete!** agent [done]", "  **search:** `x` [done]"]
    assert "plumbing" not in str(app.main)


def test_a_labeler_of_ones_own_says_what_boxes_are_called():
    def script():
        import streamlit as st

        from callboard.integrations import LLMThoughtLabeler, StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        class Plain(LLMThoughtLabeler):
            def get_initial_label(self):
                return "Hm"

            def get_tool_label(self, tool, is_complete):
                return f"{tool.name} <- {tool.input_str}, {'done' if is_complete else 'busy'}"

            def get_history_label(self):
                return "Before"

        handler = StreamlitCallbackHandler(
            st.container(), max_thought_containers=2, thought_labeler=Plain()
        )
        manager = manager_of(handler)
        manager.on_tool_start(None, "first", name="tool").on_tool_end("x")
        manager.on_tool_start(None, "x", name="tool", inputs={"a": 1, "b": 2})
        manager.on_chat_model_start(None, [[("user", "x")]], name="c")

    assert list(boxes(shown(script).main)) == [
        "Before [-]",
        "  tool <- first, done [done]",
        'tool <- {"a":1,"b":2}, busy [running]',
        "Hm [running]",
    ]


def test_the_agents_own_way_to_tell_of_an_answer_that_it_cannot_read_has_a_label():
    from callboard.integrations import LLMThoughtLabeler, ToolRecord

    label = LLMThoughtLabeler().get_tool_label(ToolRecord("_Exception", "no JSON"), True)
    assert label == "**Parsing error:** `no JSON`"


def test_an_expander_is_renamed_copied_drawn_over_and_cleared():
    def script():
        import streamlit as st

        from callboard.integrations import MutableExpander

        one = MutableExpander(st.container(), "one", True)
        first = one.markdown("first")
        one.exception(ValueError("second"))
        assert one.markdown("**first** again", index=first) == first
        one.update(new_label="uno", new_expanded=False)
        one.update()
        assert one.markdown("third") == 2
        assert (one.label, one.expanded) == ("uno", False)
        two = MutableExpander(st.container(), "two", False)
        two.append_copy(one)
        three = MutableExpander(st.container(), "three", False)
        three.markdown("gone")
        three.clear()

    app = AppTest.from_function(script, default_timeout=60).run()
    assert list(boxes(app.main)) == ["uno [-]", "two [-]"]
    assert values(app.markdown) == ["**first** again", "third"] * 2
    assert values(app.exception) == ["second"] * 2


def test_an_expander_has_no_place_for_an_index_that_it_never_gave():
    def script():
        import streamlit as st

        from callboard.errors import BadOptionError
        from callboard.integrations import MutableExpander

        try:
            MutableExpander(st.container(), "one", True).markdown("first", index=0)
        except BadOptionError as error:
            st.write(str(error))

    assert values(shown(script).markdown) == ["index is 0; of elements, there are 0."]


def test_an_agent_of_langgraphs_is_shown_with_its_tools_and_without_its_plumbing():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.platforms.graph import run

        st.write(run(StreamlitCallbackHandler(st.container())))

    app = shown(script)
    thought = ["    :material/chat: GenericFakeChatModel [done]", "    tools_condition [done]"]
    told = list(boxes(app.main))
    assert told[:1] == ["**Complete!** tea agent [done]"]
    assert told[1:5] == ["  think [done]", *thought, "  tools [done]"]
    assert sorted(told[5:7]) == [
        "    **taste:** `Sencha` [failed]",
        "    **weigh:** `Assam` [done]",
    ]
    assert told[7:] == ["  think [done]", *thought]
    calls = 'weigh {"leaves":"Assam"}\ntaste {"leaves":"Sencha"}'
    assert (
        values(app.code).count(calls) == 2
    )  # As the model's answer, and in what the node returns.
    assert values(app.error) == ["```text\nValueError: Sencha: too hot\n```"]
    assert values(app.markdown) == ["Fifty grams."] * 2
