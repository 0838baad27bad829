"""Mistakes: each raised at the call that made it, in one sentence that says what was wrong, what
was given, and what is accepted."""

import inspect
import re
from contextvars import ContextVar

import pytest

from callboard import errors, payloads
from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    AsyncCallbackManagerForChainGroup,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForChainGroup,
    FileCallbackHandler,
    StdOutCallbackHandler,
    adispatch_custom_event,
    ahandle_event,
    atrace_as_chain_group,
    dispatch_custom_event,
    handle_event,
    register_configure_hook,
    trace_as_chain_group,
)
from callboard.callbacks.hooks import registered_hooks
from callboard.errors import (
    BadCallbacksError,
    BadEventError,
    BadHandlerError,
    BadInputError,
    BadKeywordsError,
    BadMetadataError,
    BadOptionError,
    BadTagsError,
    CallboardError,
    ClosedHandlerError,
    NoParentRunError,
    UnknownEventError,
    WrongColourError,
)
from callboard.testing import RecordingHandler

every_kind = pytest.mark.parametrize(
    "kind", [BaseCallbackManager, CallbackManager, AsyncCallbackManager]
)
both_kinds = pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])


def sentence(caught):
    """Check that an error is a short text of one sentence, and return it."""
    text = str(caught.value)
    assert isinstance(caught.value, CallboardError)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    assert len(text) < 800
    return text


class Mine(BaseCallbackHandler):
    pass


# --- Handlers -----------------------------------------------------------------------------------

GIVES_A_HANDLER = {
    "constructor": lambda kind, bad: kind([bad]),
    "constructor, inheritable": lambda kind, bad: kind([], [bad]),
    "add_handler": lambda kind, bad: kind([]).add_handler(bad),
    "set_handler": lambda kind, bad: kind([]).set_handler(bad),
    "set_handlers": lambda kind, bad: kind([]).set_handlers([Mine(), bad]),
}
CONFIGURES_A_HANDLER = {
    "inheritable": lambda kind, bad: kind.configure([bad]),
    "inheritable, in a tuple": lambda kind, bad: kind.configure((bad,)),
    "local": lambda kind, bad: kind.configure(None, [bad]),
}


def calls(table):
    return pytest.mark.parametrize("call", list(table.values()), ids=list(table))


@every_kind
@calls(GIVES_A_HANDLER)
def test_a_class_in_place_of_a_handler_is_refused_with_a_hint(kind, call):
    with pytest.raises(BadHandlerError, match=r"got the class Mine.*did you mean Mine\(\)\?"):
        call(kind, Mine)


@every_kind
@calls(GIVES_A_HANDLER)
@pytest.mark.parametrize("bad", [None, "handler", 42, 3.5, print, []], ids=repr)
def test_what_can_hear_no_event_is_refused(kind, call, bad):
    with pytest.raises(BadHandlerError) as caught:
        call(kind, bad)
    text = sentence(caught)
    for word in ("BaseCallbackHandler", "on_llm_end", repr(bad), type(bad).__name__):
        assert word in text


@both_kinds
@calls(CONFIGURES_A_HANDLER)
@pytest.mark.parametrize("bad", [None, Mine, "handler"], ids=repr)
def test_configure_refuses_it_too(kind, call, bad):
    with pytest.raises(BadHandlerError) as caught:
        call(kind, bad)
    assert ("Mine" if bad is Mine else repr(bad)) in sentence(caught)


def test_a_refused_handler_is_not_added():
    manager = CallbackManager([])
    with pytest.raises(BadHandlerError):
        manager.add_handler(None)
    assert (manager.handlers, manager.inheritable_handlers) == ([], [])


# --- Callbacks ------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("bad", [None, "handlers", 42, {"a": 1}], ids=repr)
def test_handlers_that_are_no_list_are_refused(kind, bad):
    for call in (kind, lambda bad: kind([]).set_handlers(bad)):
        with pytest.raises(BadCallbacksError, match="handlers must be a list") as caught:
            call(bad)
        assert f"got {type(bad).__name__}" in sentence(caught)


@both_kinds
@pytest.mark.parametrize("bad", ["handlers", 42, {"a": 1}], ids=repr)
@pytest.mark.parametrize("argument", ["inheritable_callbacks", "local_callbacks"])
def test_callbacks_that_are_neither_list_nor_manager_are_refused(kind, bad, argument):
    with pytest.raises(BadCallbacksError, match=f"{argument} must be a list") as caught:
        kind.configure(**{argument: bad})
    assert f"got {type(bad).__name__}" in sentence(caught)


@both_kinds
@pytest.mark.parametrize("argument", ["inheritable_callbacks", "local_callbacks"])
def test_a_lone_handler_is_refused_with_a_hint(kind, argument):
    with pytest.raises(BadCallbacksError, match=r"did you mean \[Mine\(\.\.\.\)\]\?"):
        kind.configure(**{argument: Mine()})


async def test_a_group_refuses_callbacks_that_are_no_manager():
    with pytest.raises(BadCallbacksError, match="got str"), trace_as_chain_group("g", "manager"):
        pass
    with pytest.raises(BadCallbacksError, match="got str"):
        async with atrace_as_chain_group("g", "manager"):
            pass


# --- Tags and metadata ------------------------------------------------------------------------

GIVES_TAGS = {
    "tags=": lambda kind, bad: kind([], tags=bad),
    "inheritable_tags=": lambda kind, bad: kind([], inheritable_tags=bad),
    "add_tags": lambda kind, bad: kind([]).add_tags(bad),
    "add_tags, local": lambda kind, bad: kind([]).add_tags(bad, inherit=False),
    "remove_tags": lambda kind, bad: kind([]).remove_tags(bad),
}
CONFIGURES_TAGS = {
    "inheritable": lambda kind, bad: kind.configure(inheritable_tags=bad),
    "local": lambda kind, bad: kind.configure(local_tags=bad),
}
BAD_TAGS = [
    ("red", r"got 'red'; did you mean \['red'\]\?"),
    (["red", 7], r"got 7 of type int among them"),
    ([None], r"got None of type NoneType among them"),
    ({"red": 1}, r"must be a list of strings, got dict"),
    (7, r"must be a list of strings, got int"),
]
bad_tags = pytest.mark.parametrize(("bad", "words"), BAD_TAGS, ids=range(len(BAD_TAGS)))


@every_kind
@calls(GIVES_TAGS)
@bad_tags
def test_tags_that_are_no_list_of_strings_are_refused(kind, call, bad, words):
    with pytest.raises(BadTagsError, match=words) as caught:
        call(kind, bad)
    assert "strings" in sentence(caught)


@both_kinds
@calls(CONFIGURES_TAGS)
@bad_tags
def test_configure_refuses_such_tags_too(kind, call, bad, words):
    with pytest.raises(BadTagsError, match=words):
        call(kind, bad)


GIVES_METADATA = {
    "metadata=": lambda kind, bad: kind([], metadata=bad),
    "inheritable_metadata=": lambda kind, bad: kind([], inheritable_metadata=bad),
    "add_metadata": lambda kind, bad: kind([]).add_metadata(bad),
    "add_metadata, local": lambda kind, bad: kind([]).add_metadata(bad, inherit=False),
}
CONFIGURES_METADATA = {
    "inheritable": lambda kind, bad: kind.configure(inheritable_metadata=bad),
    "local": lambda kind, bad: kind.configure(local_metadata=bad),
}
bad_metadata = pytest.mark.parametrize("bad", ["a=1", [("a", 1)], 7], ids=repr)


@every_kind
@calls(GIVES_METADATA)
@bad_metadata
def test_metadata_that_is_no_dictionary_is_refused(kind, call, bad):
    with pytest.raises(BadMetadataError, match="Metadata must be a dictionary") as caught:
        call(kind, bad)
    assert f"got {type(bad).__name__}" in sentence(caught)


@both_kinds
@calls(CONFIGURES_METADATA)
@bad_metadata
def test_configure_refuses_such_metadata_too(kind, call, bad):
    with pytest.raises(BadMetadataError, match=f"got {type(bad).__name__}"):
        call(kind, bad)


# --- Colours ----------------------------------------------------------------------------------


async def test_a_group_refuses_a_manager_of_the_wrong_colour():
    recorder = RecordingHandler()
    amanager, manager = AsyncCallbackManager([recorder]), CallbackManager([recorder])
    with pytest.raises(WrongColourError) as caught, trace_as_chain_group("group", amanager):
        pass
    assert sentence(caught) == (
        "CallbackManager expected here, got AsyncCallbackManager; use atrace_as_chain_group."
    )
    with pytest.raises(WrongColourError) as caught:
        async with atrace_as_chain_group("group", manager):
            pass
    assert sentence(caught) == (
        "AsyncCallbackManager expected here, got CallbackManager; use trace_as_chain_group."
    )
    assert recorder.events == []


async def test_a_groups_manager_refuses_a_run_of_the_wrong_colour():
    run = CallbackManager([]).on_chain_start({}, {})
    arun = await AsyncCallbackManager([]).on_chain_start({}, {})
    for kind, wrong in (
        (CallbackManagerForChainGroup, arun),
        (AsyncCallbackManagerForChainGroup, run),
    ):
        with pytest.raises(WrongColourError, match=f"got {type(wrong).__name__}") as caught:
            kind([], parent_run_manager=wrong)
        assert "both sync or both async" in sentence(caught)


# --- Events -----------------------------------------------------------------------------------


async def test_an_event_that_nobody_can_hear_is_refused():
    handlers = [BaseCallbackHandler(), AsyncCallbackHandler()]
    with pytest.raises(UnknownEventError, match=r"'on_lm_end'.*on_llm_end") as caught:
        handle_event(handlers, "on_lm_end", None)
    sentence(caught)
    with pytest.raises(UnknownEventError, match=r"'on_lm_end'.*on_llm_end"):
        await ahandle_event(handlers, "on_lm_end", None)


async def test_a_custom_event_carries_no_other_keywords():
    manager, recorder = CallbackManager([]), RecordingHandler()
    manager.add_handler(recorder)
    with pytest.raises(BadEventError, match="name and data only, got color, size") as caught:
        manager.on_custom_event("event", 1, color="red", size=2)
    assert "put it into the data" in sentence(caught)
    with pytest.raises(BadEventError, match="got color"):
        await AsyncCallbackManager([recorder]).on_custom_event("event", 1, color="red")
    assert recorder.events == []


@pytest.mark.parametrize("told", ["run_id", "parent_run_id", "tags"])
async def test_an_event_can_not_be_given_what_its_run_tells(told):
    recorder = RecordingHandler()
    run = CallbackManager([recorder]).on_chain_start({}, {})
    [model] = CallbackManager([recorder]).on_llm_start({}, [""])
    later = await AsyncCallbackManager([recorder]).on_chain_start({}, {})
    before = len(recorder.heard)
    with pytest.raises(BadKeywordsError, match=rf"^{told} can't be given") as caught:
        run.on_chain_end({}, **{told: None})
    sentence(caught)
    with pytest.raises(BadKeywordsError, match=told):
        model.on_llm_new_token("token", **{told: None})
    with pytest.raises(BadKeywordsError, match=told):
        await later.on_chain_error(ValueError(), **{told: None})
    assert len(recorder.heard) == before


async def called(method, *args, **kwargs):
    """Call a method of either colour."""
    answer = method(*args, **kwargs)
    return await answer if inspect.isawaitable(answer) else answer


@both_kinds
async def test_a_start_can_not_be_given_what_its_run_tells(kind):
    recorder = RecordingHandler()
    manager = kind([recorder])
    for start in (manager.on_chain_start, manager.on_retriever_start):
        with pytest.raises(BadKeywordsError, match=r"metadata, tags can't be given"):
            await called(start, {}, "", tags=[], metadata={})
    for start in (manager.on_llm_start, manager.on_chat_model_start):
        with pytest.raises(BadKeywordsError, match="parent_run_id can't be given"):
            await called(start, {}, [[]], parent_run_id=None)
    assert recorder.events == []


@both_kinds
async def test_one_prompt_in_place_of_a_list_is_refused(kind):
    with pytest.raises(BadInputError, match=r"must be a list of strings.*\[prompt\]") as caught:
        await called(kind([]).on_llm_start, {}, "Hello")
    sentence(caught)


@both_kinds
@pytest.mark.parametrize("message", [{"role": "user"}, payloads.HumanMessage("hi"), "hi"])
async def test_one_conversation_in_place_of_a_list_is_refused(kind, message):
    with pytest.raises(BadInputError, match=r"list of conversations.*\[messages\]") as caught:
        await called(kind([]).on_chat_model_start, {}, [message])
    assert type(message).__name__ in sentence(caught)


@every_kind
def test_one_key_in_place_of_a_list_is_refused(kind):
    manager = kind([], metadata={"a": 1, "b": 2})
    with pytest.raises(BadMetadataError, match=r"Keys must be a list, got 'ab'.*\['ab'\]"):
        manager.remove_metadata("ab")
    assert manager.metadata == {"a": 1, "b": 2}


async def test_a_custom_event_outside_of_any_run_is_refused():
    with pytest.raises(NoParentRunError, match=r"'lost'.*outside of any run.*config=") as caught:
        dispatch_custom_event("lost", 1)
    sentence(caught)
    with pytest.raises(NoParentRunError, match="'lost'"):
        await adispatch_custom_event("lost", 1)
    with pytest.raises(NoParentRunError, match="'lost'"):
        dispatch_custom_event("lost", 1, config={"callbacks": [RecordingHandler()]})


# --- Options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("color", ["purple", "", 3])
def test_a_colour_that_does_not_exist_is_refused(color, tmp_path):
    words = re.escape(f"Unknown color {color!r}; accepted are blue, yellow, pink, green, red.")
    with pytest.raises(BadOptionError, match=words) as caught:
        StdOutCallbackHandler(color)
    sentence(caught)
    path = tmp_path / "log"
    with pytest.raises(BadOptionError, match=words):
        FileCallbackHandler(str(path), color=color)
    assert not path.exists()


@pytest.mark.parametrize("mode", ["r", "wb", "", "a+", None])
def test_a_mode_that_does_not_write_text_is_refused(mode, tmp_path):
    path = tmp_path / "log"
    with pytest.raises(BadOptionError, match=r"mode.*'a', 'w' and 'x'") as caught:
        FileCallbackHandler(str(path), mode)
    assert repr(mode) in sentence(caught)
    assert not path.exists()


def test_a_hook_with_an_environment_variable_needs_a_class():
    before = list(registered_hooks())
    with pytest.raises(BadOptionError, match=r"'DEBUG_CALLS'.*handle_class") as caught:
        register_configure_hook(ContextVar("hook"), inheritable=True, env_var="DEBUG_CALLS")
    sentence(caught)
    assert list(registered_hooks()) == before


def test_a_closed_handler_says_which_file_it_was_for(tmp_path):
    path = str(tmp_path / "log")
    handler = FileCallbackHandler(path)
    handler.close()
    with pytest.raises(ClosedHandlerError, match=re.escape(path)) as caught:
        handler.on_text("text")
    assert "closed" in sentence(caught)


# --- The errors themselves ----------------------------------------------------------------------


def classes():
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }


def test_every_error_is_exported_and_documented():
    assert sorted(classes()) == errors.__all__
    assert all(kind.__doc__ for kind in classes().values())


def drawn_tree():
    """Read the tree in the module's docstring: each class, its base there, and its built-in."""
    above = ["CallboardError"]
    for line in errors.__doc__.splitlines():
        if branch := re.match(r"([ │]*)[├└]── (\w+) +([A-Z]\w+Error)?", line):
            indent, name, builtin = branch.groups()
            del above[len(indent) // 4 :]
            yield name, above[-1], builtin
            above.append(name)


def test_the_tree_that_is_drawn_is_the_tree_there_is():
    real = [
        (name, *[base.__name__ for base in kind.__bases__], None)[:3]
        for name, kind in classes().items()
        if kind is not CallboardError
    ]
    assert sorted(drawn_tree(), key=str) == sorted(real, key=str)
    assert CallboardError.__bases__ == (Exception,)
