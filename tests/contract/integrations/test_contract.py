"""What every integration keeps to. One suite for all: a new platform joins it with a row."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from callboard import ids
from callboard.callbacks import AsyncCallbackManager, CallbackManager, handle_event
from callboard.events import EVENTS
from callboard.integrations import RunTreeHandler
from callboard.payloads import AIMessage, ChatGeneration, Document, Generation, LLMResult
from callboard.redaction import Redaction
from tests.contract.integrations.platforms import EVERY_HANDLER, EVERY_PLATFORM, PRICES
from tests.unit.occasions import ahappen, happen

every_platform = pytest.mark.parametrize("make", EVERY_PLATFORM, indirect=True)
every_handler = pytest.mark.parametrize("make", EVERY_HANDLER, indirect=True)
every_event = pytest.mark.parametrize("event", list(EVENTS))

SECRET = "ada@example.com"
MODEL = {"ls_model_name": "gpt-5", "ls_provider": "openai"}
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def answer(text="hello"):
    return LLMResult([[ChatGeneration(AIMessage(text, usage_metadata=dict(USAGE)))]])


def manager_of(handler, kind=CallbackManager):
    return kind.configure([handler], inheritable_metadata=dict(MODEL))


def work(handler, text="hello"):
    """A chain with a tool, a retriever, a text model and a chat model in it: five runs."""
    root = manager_of(handler).on_chain_start(None, {"asked": text}, name="agent")
    inner = root.get_child()
    tool = inner.on_tool_start(None, text, name="search", inputs={"query": text})
    tool.on_tool_end(f"found {text}")
    inner.on_retriever_start(None, text, name="shelf").on_retriever_end([Document(text)])
    [llm] = inner.on_llm_start(None, [text], name="old")
    llm.on_llm_end(LLMResult([[Generation(text)]]))
    [chat] = inner.on_chat_model_start(None, [[("user", text)]], name="chat")
    chat.on_llm_new_token("he")
    chat.on_llm_new_token("llo")
    chat.on_llm_end(answer(text))
    root.on_chain_end({"answered": text})


WORK = ("chain", "tool", "retriever", "llm", "chat_model")


async def awork(handler, text="hello"):
    root = await manager_of(handler, AsyncCallbackManager).on_chain_start(None, {}, name="agent")
    inner = root.get_child()

    async def use_tool():
        tool = await inner.on_tool_start(None, text, name="search")
        await asyncio.sleep(0)
        await tool.on_tool_end(text)

    async def ask():
        [chat] = await inner.on_chat_model_start(None, [[("user", text)]], name="chat")
        await chat.on_llm_new_token("he")
        await asyncio.sleep(0)
        await chat.on_llm_end(answer(text))

    await asyncio.gather(use_tool(), use_tool(), ask(), ask())
    await root.on_chain_end({"answered": text})


AWORK = ("chain", "tool", "tool", "chat_model", "chat_model")


def heard(platform, runs, times=1):
    return times * sum(each in platform.types for each in runs)


def nothing_is_held(platform):
    tree = platform.tree
    return not isinstance(tree, RunTreeHandler) or not (tree._records or tree.run_map)


@every_handler
@every_event
def test_it_hears_an_event_in_sync_code_without_a_fault(make, event, caplog):
    happen(event, make().handler)
    assert not caplog.records


@every_handler
@every_event
async def test_it_hears_an_event_in_async_code_without_a_fault(make, event, caplog):
    await ahappen(event, make().handler)
    assert not caplog.records


@every_handler
def test_it_is_told_of_each_run_once_though_nothing_is_said_of_what_runs(make, caplog):
    platform = make(prices=PRICES)
    work(platform.handler)
    assert platform.ended() == heard(platform, WORK)
    assert nothing_is_held(platform)
    assert not caplog.records


@every_handler
def test_fifty_runs_at_once_in_threads(make, caplog):
    platform = make(prices=PRICES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: work(platform.handler, f"no {number}"), range(50)))
    assert platform.ended() == heard(platform, WORK, 50)
    assert nothing_is_held(platform)
    assert not caplog.records


@every_handler
async def test_fifty_runs_at_once_in_tasks_with_parallel_tools(make, caplog):
    platform = make(prices=PRICES)
    await asyncio.gather(*(awork(platform.handler, f"no {number}") for number in range(50)))
    assert platform.ended() == heard(platform, AWORK, 50)
    assert nothing_is_held(platform)
    assert not caplog.records


@every_handler
def test_an_error_in_every_kind_of_run(make, caplog):
    platform = make(prices=PRICES)
    error = ValueError("it failed")
    root = manager_of(platform.handler).on_chain_start(None, {}, name="agent")
    inner = root.get_child()
    inner.on_tool_start(None, "x", name="search").on_tool_error(error)
    inner.on_retriever_start(None, "x", name="shelf").on_retriever_error(error)
    inner.on_llm_start(None, ["x"], name="old")[0].on_llm_error(error)
    inner.on_chat_model_start(None, [[("user", "x")]], name="chat")[0].on_llm_error(error)
    root.on_chain_error(error)
    if platform.types != {"llm", "chat_model"}:
        assert platform.ended() == heard(platform, WORK)
    assert nothing_is_held(platform)
    assert not caplog.records


@every_handler
def test_an_end_without_a_start_is_nobodys_trouble(make):
    platform = make()
    for event, row in EVENTS.items():
        if row.closes:
            given = ValueError("x") if event.endswith("error") else answer()
            ends = {"run_id": ids.new_id(), "parent_run_id": None}
            handle_event([platform.handler], event, row.ignore, given, **ends)
    assert platform.ended() == 0


@every_platform
def test_a_start_without_an_end_is_given_up_when_the_handler_closes(make):
    platform = make()
    root = manager_of(platform.handler).on_chain_start(None, {}, name="agent")
    root.get_child().on_chat_model_start(None, [[("user", "x")]], name="chat")
    platform.tree.close()
    assert nothing_is_held(platform)


@every_platform
def test_runs_that_never_end_are_bounded(make):
    platform = make(max_runs=5)
    for _ in range(30):
        manager_of(platform.handler).on_chat_model_start(None, [[("user", "x")]], name="chat")
    assert len(platform.tree._records) == 5
    assert len(platform.tree.run_map) == 5


@every_platform
def test_what_has_ended_is_let_go_of_while_its_root_runs_on(make):
    platform = make()
    root = manager_of(platform.handler).on_chain_start(None, {}, name="agent")
    for _ in range(1_100):
        root.get_child().on_tool_start(None, "x" * 100, name="search").on_tool_end("y")
    [*_, run] = platform.tree.run_map.values() or [None]
    assert run is None or len(run.child_runs) <= 1
    assert len(platform.tree._over) <= 1_000
    root.on_chain_end({})
    assert nothing_is_held(platform)


@every_handler
async def test_a_cancellation_in_the_middle_of_a_stream_ends_the_run(make, caplog):
    platform = make()
    begun = asyncio.Event()

    async def stream():
        manager = manager_of(platform.handler, AsyncCallbackManager)
        [run] = await manager.on_chat_model_start(None, [[("user", "x")]], name="chat")
        try:
            await run.on_llm_new_token("he")
            begun.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            await run.on_llm_error(error)
            raise

    task = asyncio.create_task(stream())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_is_held(platform)
    assert not caplog.records


@every_platform
def test_tokens_cost_the_platform_nothing(make):
    platform = make()
    if platform.streams:
        pytest.skip("It shows text as it comes: its own tests hold how often.")
    [run] = manager_of(platform.handler).on_chat_model_start(None, [[("user", "x")]], name="chat")
    before = platform.text()
    for _ in range(1_000):
        run.on_llm_new_token("word ")
    assert platform.text() == before
    assert not any(run.events[1:] for run in platform.tree.run_map.values())
    run.on_llm_end(answer())


@every_platform
def test_it_may_be_flushed_and_closed_twice_and_hears_nothing_after_that(make):
    platform = make()
    work(platform.handler)
    told = platform.ended()
    for _ in range(2):
        platform.tree.flush()
    for _ in range(2):
        platform.tree.close()
    if platform.tree is platform.handler:
        work(platform.handler)
    assert platform.ended() == told


@every_platform
def test_what_the_application_opened_stays_open(make):
    platform = make()
    work(platform.handler)
    platform.tree.close()
    assert platform.is_open()


class Failed:
    """How something that is tried again has ended, in tenacity's form."""

    failed = True

    def exception(self):
        return ValueError(SECRET)


def leak(handler):
    """Say a secret wherever there is a place for it."""
    manager = CallbackManager.configure(
        [handler], inheritable_metadata={**MODEL, "user": SECRET}, inheritable_tags=[SECRET]
    )
    root = manager.on_chain_start({"name": SECRET}, {"mail": SECRET}, name=f"to {SECRET}")
    inner = root.get_child()
    inner.on_tool_start(None, SECRET, name=SECRET).on_tool_error(ValueError(SECRET))
    [chat] = inner.on_chat_model_start(None, [[("user", SECRET)]], name="chat")
    chat.on_retry({"attempt_number": 2, "outcome": Failed()})
    chat.on_llm_new_token(SECRET)
    chat.on_llm_end(answer(SECRET))
    root.get_child().on_retriever_start(None, SECRET).on_retriever_end([Document(SECRET)])
    root.on_chain_end({"sent": SECRET})


@every_platform
def test_a_secret_is_told_unless_it_is_redacted(make):
    """The next test can fail: what is told of content is told."""
    platform = make()
    leak(platform.handler)
    assert (SECRET in platform.text()) == (platform.tells_content or platform.types >= {"tool"})


@every_platform
def test_a_redacted_secret_is_told_nowhere(make):
    platform = make(redaction=Redaction("emails"))
    leak(platform.handler)
    platform.tree.close()
    assert platform.ended() > 0
    assert SECRET not in platform.text()


@every_platform
def test_what_the_environment_redacts_is_told_nowhere(make, monkeypatch):
    from callboard.environment import reload_environment

    monkeypatch.setenv("CALLBOARD_REDACT", "emails")
    reload_environment()
    platform = make()
    leak(platform.handler)
    platform.tree.close()
    assert SECRET not in platform.text()


@every_platform
def test_content_that_is_turned_off_is_not_told(make):
    platform = make(redaction=Redaction("emails", content=False))
    work(platform.handler, "open sesame")
    assert "open sesame" not in platform.text()


@pytest.mark.parametrize(
    "rows", ["PLATFORMS", pytest.param("BIG", marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
def test_importing_and_making_them_reaches_no_network(rows):
    """A socket to a process on this machine, which some clients start, is no network."""
    program = f"""
import json, sys
reached = []
def hear(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        reached.append(str(args[1][0]))
    elif event == "socket.getaddrinfo":
        reached.append(str(args[0]))
sys.addaudithook(hear)
from tests.contract.integrations.platforms import BIG, PLATFORMS, Big
import pytest
for name in {rows}:
    make = PLATFORMS.get(name) or Big(name)
    try:
        if name in BIG:
            make.prepare()
        made = make()
    except pytest.skip.Exception:
        continue
    made.tree.close()
    made.release()
    if name in BIG:
        make.finish()
print(json.dumps(reached))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    reached = set(json.loads(done.stdout.splitlines()[-1]))
    assert reached <= {"127.0.0.1", "::1", "localhost"}
