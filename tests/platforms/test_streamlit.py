"""Runs in a Streamlit app, read back with Streamlit's own AppTest."""

import pytest

pytest.importorskip("streamlit", reason="Streamlit is not installed: make platforms")

from streamlit.testing.v1 import AppTest

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("default"),  # Those of Streamlit are not ours.
]


def shown(script):
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def boxes(block, depth=0):
    """The boxes of an app, as an indented list of label and state."""
    for child in block.children.values():
        inner = depth
        if getattr(child, "type", "") in {"status", "expander"}:
            state = getattr(child, "state", "")
            yield "  " * depth + f"{child.label.split(' (')[0]} [{state}]"
            inner += 1
        if hasattr(child, "children"):
            yield from boxes(child, inner)


def test_an_application_is_nested_boxes_that_all_end():
    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import serve

        serve(StreamlitCallbackHandler(st.container()))

    app = shown(script)
    assert list(boxes(app.main)) == [
        "**Complete!** agent [complete]",
        "  🔎 shelf [complete]",
        "  💬 ChatOpenAI [complete]",
        '  **search:** {"query":"tea"} [error]',
    ]
    assert "Tea." in [each.value for each in app.markdown]
    assert [each.value for each in app.error] == ["ValueError: no leaves"]


def test_parallel_tools_in_threads_each_have_their_box():
    """langchain 18684, streamlit 12051: NoSessionContext, and of two tools one was lost."""

    def script():
        from concurrent.futures import ThreadPoolExecutor

        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container(), thought_labeler=None)
        root = manager_of(handler).on_chain_start(None, {}, name="agent")

        def use_tool(number):
            tool = root.get_child().on_tool_start(None, "x", name=f"tool {number}")
            tool.on_tool_end("y")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use_tool, range(7)))
        root.on_chain_end({})

    told = list(boxes(shown(script).main))
    assert sorted(told[1:]) == [f'  **tool {n}:** {{"input":"x"}} [complete]' for n in range(7)]


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

    assert "left: None" in [each.value for each in shown(script).markdown]


def test_what_never_ends_and_the_last_thought_are_closed():
    """The former handler's last thought stayed 'Thinking...' for ever."""

    def script():
        import streamlit as st

        from callboard.integrations import StreamlitCallbackHandler
        from tests.unit.integrations.scenes import manager_of

        handler = StreamlitCallbackHandler(st.container())
        manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
        handler.close()

    assert list(boxes(shown(script).main)) == ["💬 c [error]"]
