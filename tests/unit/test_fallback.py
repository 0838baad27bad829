"""The start of a chat model, for handlers that know text models only."""

import asyncio

import pytest

from callboard.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
)
from callboard.payloads import AIMessage, HumanMessage
from tests.unit.occasions import METADATA, PARENT, RUN, TAGS, ahappen, happen

CONVERSATION = [HumanMessage("hi"), AIMessage("hello")]
AS_TEXT = "Human: hi\nAI: hello"


class Prompts:
    """Keeps what it hears as a text model's start."""

    def __init__(self):
        self.prompts = []
        self.keywords = []

    def note(self, prompts, kwargs):
        self.prompts.append(prompts)
        self.keywords.append(kwargs)


class NotOverridden(Prompts, BaseCallbackHandler):
    def on_llm_start(self, serialized, prompts, **kwargs):
        self.note(prompts, kwargs)


class Raises(NotOverridden):
    def on_chat_model_start(self, *args, **kwargs):
        raise NotImplementedError


class CallsTheNoOp(NotOverridden):
    def on_chat_model_start(self, *args, **kwargs):
        return super().on_chat_model_start(*args, **kwargs)


class NotOverriddenAsync(Prompts, AsyncCallbackHandler):
    async def on_llm_start(self, serialized, prompts, **kwargs):
        await asyncio.sleep(0)
        self.note(prompts, kwargs)


class RaisesAsync(NotOverriddenAsync):
    async def on_chat_model_start(self, *args, **kwargs):
        await asyncio.sleep(0)
        raise NotImplementedError


class RaisesAsyncHearsSync(NotOverridden):
    async def on_chat_model_start(self, *args, **kwargs):
        raise NotImplementedError


class RaisesSyncHearsAsync(NotOverriddenAsync):
    def on_chat_model_start(self, *args, **kwargs):
        raise NotImplementedError


class Duck(Prompts):
    def on_llm_start(self, serialized, prompts, **kwargs):
        self.note(prompts, kwargs)


variants = pytest.mark.parametrize(
    "variant",
    [
        NotOverridden,
        Raises,
        CallsTheNoOp,
        NotOverriddenAsync,
        RaisesAsync,
        RaisesAsyncHearsSync,
        RaisesSyncHearsAsync,
        Duck,
    ],
)


@variants
def test_sync_code_tells_of_a_text_model_instead(variant):
    handler = variant()
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.prompts == [[AS_TEXT]]


@variants
async def test_sync_code_inside_a_running_loop_does_too(variant):
    handler = variant()
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.prompts == [[AS_TEXT]]


@variants
@pytest.mark.parametrize("inline", [True, False])
async def test_async_code_tells_of_a_text_model_instead(variant, inline):
    handler = variant()
    handler.run_inline = inline
    await AsyncCallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.prompts == [[AS_TEXT]]


@variants
async def test_the_fallback_carries_all_that_the_start_does(variant):
    handler = variant()
    happen("on_chat_model_start", handler)
    await ahappen("on_chat_model_start", handler)
    assert (
        handler.keywords
        == [
            {
                "run_id": RUN,
                "parent_run_id": PARENT,
                "tags": TAGS,
                "metadata": METADATA,
                "name": "n",
                "options": {},
            }
        ]
        * 2
    )


@variants
async def test_each_conversation_is_told_by_itself(variant):
    handler = variant()
    messages = [[HumanMessage("a")], [HumanMessage("b")]]
    CallbackManager([handler]).on_chat_model_start({}, messages)
    assert handler.prompts == [["Human: a"], ["Human: b"]]
    handler.prompts.clear()
    await AsyncCallbackManager([handler]).on_chat_model_start({}, messages)
    assert sorted(handler.prompts) == [["Human: a"], ["Human: b"]]


@variants
@pytest.mark.parametrize("flag", ["ignore_llm", "ignore_chat_model"])
async def test_who_ignores_either_hears_neither(variant, flag, caplog):
    handler = variant()
    setattr(handler, flag, True)
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    await AsyncCallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.prompts == []
    assert caplog.records == []


def test_who_hears_chat_models_hears_no_text_model():
    class Both(NotOverridden):
        def on_chat_model_start(self, serialized, messages, **kwargs):
            self.messages = messages

    handler = Both()
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.messages == [CONVERSATION]
    assert handler.prompts == []


def test_who_hears_chat_models_and_ignores_text_models_hears_the_chat_model():
    class Both(NotOverridden):
        ignore_llm = True

        def on_chat_model_start(self, serialized, messages, **kwargs):
            self.messages = messages

    handler = Both()
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert handler.messages == [CONVERSATION]


@variants
async def test_the_fallbacks_fault_is_logged_once_under_the_name_of_the_fallback(variant, caplog):
    def fail(*_):
        raise ValueError("on purpose")

    failing = type("Clumsy", (variant,), {"note": fail})()
    CallbackManager([failing]).on_chat_model_start({}, [CONVERSATION])
    await AsyncCallbackManager([failing]).on_chat_model_start({}, [CONVERSATION])
    assert [record.getMessage() for record in caplog.records] == [
        "Clumsy.on_llm_start failed: ValueError('on purpose')"
    ] * 2


@variants
async def test_the_fallbacks_fault_is_raised_if_the_handler_asks_for_that(variant, caplog):
    def fail(*_):
        raise ValueError("on purpose")

    failing = type("Clumsy", (variant,), {"note": fail, "raise_error": True})()
    with pytest.raises(ValueError, match="on purpose"):
        CallbackManager([failing]).on_chat_model_start({}, [CONVERSATION])
    with pytest.raises(ValueError, match="on purpose"):
        await AsyncCallbackManager([failing]).on_chat_model_start({}, [CONVERSATION])
    assert len(caplog.records) == 2


@variants
async def test_who_implements_neither_is_asked_once_and_logged_once(variant, caplog):
    calls = []

    def refuse(self, prompts, kwargs):
        calls.append(prompts)
        raise NotImplementedError("neither")

    handler = type("Clumsy", (variant,), {"note": refuse, "raise_error": True})()
    CallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    await AsyncCallbackManager([handler]).on_chat_model_start({}, [CONVERSATION])
    assert calls == [[AS_TEXT]] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "Clumsy.on_llm_start failed: NotImplementedError('neither')"
    ] * 2


class Unprintable:
    type = "human"

    @property
    def content(self):
        raise LookupError("no content")


@variants
async def test_a_message_that_cannot_be_read_is_told_as_the_object_that_it_is(variant, caplog):
    handler, message = variant(), Unprintable()
    CallbackManager([handler]).on_chat_model_start({}, [[HumanMessage("hi"), message]])
    await AsyncCallbackManager([handler]).on_chat_model_start({}, [[message]])
    assert handler.prompts == [[f"Human: hi\n{message!r}"], [repr(message)]]
    assert caplog.records == []


class NoConversation:
    """Fails when anybody looks for messages in it."""

    looked = 0

    def __iter__(self):
        self.looked += 1
        raise LookupError("no messages")


@variants
async def test_conversations_that_cannot_be_put_into_words_are_logged_and_not_raised(
    variant, caplog
):
    handler, after = variant(), NotOverridden()
    CallbackManager([handler]).on_chat_model_start({}, [NoConversation()])
    await AsyncCallbackManager([handler]).on_chat_model_start({}, [NoConversation()])
    CallbackManager([after]).on_chat_model_start({}, [CONVERSATION])
    assert handler.prompts == []
    assert after.prompts == [[AS_TEXT]]
    assert [record.getMessage() for record in caplog.records] == [
        f"{variant.__name__}.on_chat_model_start failed: LookupError('no messages')"
    ] * 2


async def test_messages_are_not_put_into_words_for_who_would_not_hear_them(caplog):
    ignoring, conversation = NotOverridden(), NoConversation()
    ignoring.ignore_llm = True
    handlers = [BaseCallbackHandler(), AsyncCallbackHandler(), ignoring]
    CallbackManager(handlers).on_chat_model_start({}, [conversation])
    await AsyncCallbackManager(handlers).on_chat_model_start({}, [conversation])
    assert conversation.looked == 0
    assert caplog.records == []


def test_a_text_models_start_falls_back_on_nothing():
    class ChatOnly(BaseCallbackHandler):
        calls = 0

        def on_chat_model_start(self, *args, **kwargs):
            self.calls += 1

    handler = ChatOnly()
    CallbackManager([handler]).on_llm_start({}, ["text"])
    assert handler.calls == 0
