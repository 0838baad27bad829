"""Approval: a person approves, edits or rejects, and nothing runs that was not approved."""

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from callboard.callbacks import AsyncCallbackManager, CallbackManager
from callboard.errors import BadOptionError, WrongColourError
from callboard.events import EVENTS
from callboard.instrument import get_current_run_tree, traceable
from callboard.integrations import (
    Approve,
    AsyncHumanApprovalCallbackHandler,
    Edit,
    HumanApprovalCallbackHandler,
    HumanRejectedException,
    Reject,
    approved,
)
from callboard.testing import RecordingHandler
from tests.unit.occasions import ahappen, happen

both_handlers = pytest.mark.parametrize(
    "kind", [HumanApprovalCallbackHandler, AsyncHumanApprovalCallbackHandler]
)


def use_tool(*handlers, **told):
    manager = CallbackManager.configure(list(handlers))
    manager.on_tool_start({"name": "rm"}, "/tmp/a", inputs={"path": "/tmp/a"}, **told)


async def ause_tool(*handlers, **told):
    manager = AsyncCallbackManager.configure(list(handlers))
    await manager.on_tool_start({"name": "rm"}, "/tmp/a", inputs={"path": "/tmp/a"}, **told)


# Handlers.


@both_handlers
@pytest.mark.parametrize("answer", [False, Reject(), Reject("not on Fridays")])
async def test_a_handler_refuses_what_is_rejected_in_sync_and_async_code(kind, answer, caplog):
    handler = kind(lambda request: answer)
    with pytest.raises(HumanRejectedException, match="tool rm was not run") as refused:
        use_tool(handler, tool_call_id="call-1")
    assert (refused.value.tool, refused.value.tool_call_id) == ("rm", "call-1")
    assert refused.value.reason == getattr(answer, "reason", "")
    with pytest.raises(HumanRejectedException, match="tool rm was not run") as again:
        await ause_tool(handler, tool_call_id="call-1")
    assert vars(again.value) == vars(refused.value)
    assert not caplog.records


@both_handlers
@pytest.mark.parametrize("answer", [True, Approve()])
async def test_a_handler_lets_through_what_is_approved(kind, answer, caplog):
    use_tool(kind(lambda request: answer))
    await ause_tool(kind(lambda request: answer))
    assert not caplog.records


@both_handlers
async def test_a_decider_may_be_async_for_either_handler(kind):
    async def decide(request):
        await asyncio.sleep(0)
        return False

    with pytest.raises(HumanRejectedException):
        await ause_tool(kind(decide))
    with pytest.raises(HumanRejectedException):
        use_tool(kind(decide))


def test_a_decider_is_given_the_input_as_text_as_it_always_was():
    def approve(text):
        assert text.split("/") == ["", "tmp", "a"]
        return text == "/tmp/a" and text.inputs == {"path": "/tmp/a"} and text.tool == "rm"

    use_tool(HumanApprovalCallbackHandler(approve))


def test_tools_that_need_no_check_are_not_asked_for():
    handler = HumanApprovalCallbackHandler(
        approve=lambda request: False, should_check=lambda serialized: serialized["name"] != "rm"
    )
    use_tool(handler)
    with pytest.raises(HumanRejectedException):
        CallbackManager.configure([handler]).on_tool_start(None, "x", name="format")


@both_handlers
async def test_a_decider_that_fails_keeps_the_tool_from_running(kind):
    for decide in (lambda request: 1 / 0, lambda request: next(iter(()))):
        with pytest.raises((ZeroDivisionError, StopIteration, RuntimeError)):
            use_tool(kind(decide))
        with pytest.raises((ZeroDivisionError, RuntimeError)):
            await ause_tool(kind(decide))


@pytest.mark.parametrize("answer", [None, "yes", 1, Approve, Edit({"path": "/"})])
def test_what_is_no_decision_for_a_handler_is_refused_with_what_it_takes(answer):
    with pytest.raises(BadOptionError, match=r"(It|The tool) was not run\."):
        use_tool(HumanApprovalCallbackHandler(lambda request: answer))


async def test_an_async_refusal_comes_before_the_others_hear_of_the_tool():
    others = RecordingHandler(run_inline=False)
    with pytest.raises(HumanRejectedException):
        await ause_tool(others, AsyncHumanApprovalCallbackHandler(lambda request: False))
    assert not others.events


async def test_the_event_loop_goes_on_while_a_person_thinks():
    asked, answered = threading.Event(), threading.Event()

    def decide(request):
        asked.set()
        return answered.wait(30)

    task = asyncio.create_task(ause_tool(AsyncHumanApprovalCallbackHandler(decide)))
    await asyncio.to_thread(asked.wait, 30)
    answered.set()
    await task


@both_handlers
@pytest.mark.parametrize("event", list(EVENTS))
async def test_all_other_events_pass_by(kind, event, caplog):
    happen(event, kind(lambda request: True))
    await ahappen(event, kind(lambda request: True))
    assert not caplog.records


# Time.


@both_handlers
async def test_when_time_is_up_the_default_holds(kind):
    never = threading.Event()

    async def forget(request):
        await asyncio.sleep(60)

    for decide in (lambda request: never.wait(60), forget):
        with pytest.raises(HumanRejectedException, match=r"nobody decided within 0\.01 seconds"):
            await ause_tool(kind(decide, timeout=0.01))
        with pytest.raises(HumanRejectedException):
            use_tool(kind(decide, timeout=0.01))
        use_tool(kind(decide, timeout=0.01, otherwise=True))
    never.set()


def test_a_decider_that_times_out_itself_has_failed():
    def decide(request):
        raise TimeoutError("the form is down")

    with pytest.raises(TimeoutError, match="the form is down"):
        use_tool(HumanApprovalCallbackHandler(decide, timeout=60))


def test_a_decider_that_never_answers_keeps_no_process_from_ending():
    program = """
import threading
from callboard.integrations import Reject, approved
print(approved(decide=lambda r: threading.Event().wait(), timeout=0.01, rejected=str)(print)())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=30
    )
    assert "nobody decided within 0.01 seconds" in done.stdout


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_is_more_than_nothing(timeout):
    with pytest.raises(BadOptionError, match="more than 0"):
        HumanApprovalCallbackHandler(timeout=timeout)


# One after the other.


class Crowd:
    """A decider that knows how many it was asked by at once."""

    def __init__(self):
        self.inside = self.most = self.asked = 0

    def __call__(self, request):
        self.inside += 1
        self.asked += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        self.inside -= 1
        return True


def test_parallel_tools_are_asked_for_one_after_the_other_in_threads():
    crowd = Crowd()
    handler = HumanApprovalCallbackHandler(crowd)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: use_tool(handler), range(20)))
    assert (crowd.asked, crowd.most) == (20, 1)


@both_handlers
async def test_parallel_tools_are_asked_for_one_after_the_other_in_tasks(kind):
    crowd = Crowd()
    handler = kind(crowd)
    await asyncio.gather(*(ause_tool(handler) for _ in range(10)))
    assert (crowd.asked, crowd.most) == (10, 1)


async def test_parallel_tools_are_asked_for_at_once_if_that_is_wanted():
    together = asyncio.Barrier(5)

    async def decide(request):
        await together.wait()
        return True

    handler = AsyncHumanApprovalCallbackHandler(decide, at_once=True)
    await asyncio.gather(*(ause_tool(handler) for _ in range(5)))


async def test_who_stops_waiting_gives_the_turn_to_the_next():
    async def decide(request):
        await asyncio.sleep(60 if request.tool_call_id == "first" else 0)
        return True

    handler = AsyncHumanApprovalCallbackHandler(decide)
    first = asyncio.create_task(ause_tool(handler, tool_call_id="first"))
    second = asyncio.create_task(ause_tool(handler, tool_call_id="second"))
    third = asyncio.create_task(ause_tool(handler, tool_call_id="third"))
    await asyncio.sleep(0.05)
    second.cancel()
    first.cancel()
    await third


async def test_sync_code_does_not_wait_for_a_question_of_the_loop_that_it_blocks():
    """Neither would ever go on."""
    answer = asyncio.Event()

    async def decide(request):
        return await answer.wait()

    ask_first = approved(decide=decide)
    task = asyncio.create_task(ask_first(asyncio.sleep)(0))
    await asyncio.sleep(0.01)
    with pytest.raises(WrongColourError, match="call it in a thread"):
        ask_first(move)("a")
    answer.set()
    await task


# Wrapped functions.


def move(source, target="/tmp", *rest, force=False, **options):
    """Move a file."""
    return source, target, rest, force, options


def test_a_function_runs_as_it_was_called_if_it_is_approved():
    asked = []
    wrapped = approved(decide=lambda request: asked.append(request) or True)(move)
    assert wrapped("a", "b", "c", force=True, x=1) == ("a", "b", ("c",), True, {"x": 1})
    assert asked[0].tool == "move"
    assert asked[0].inputs == {
        "source": "a",
        "target": "b",
        "rest": ("c",),
        "force": True,
        "options": {"x": 1},
    }


def test_a_function_is_called_with_what_the_edit_says_and_its_defaults():
    wrapped = approved(decide=lambda request: Edit({"source": "z", "options": {"y": 2}}))(move)
    assert wrapped("a", "b", force=True) == ("z", "/tmp", (), False, {"y": 2})


def test_an_edit_with_a_name_that_the_function_lacks_runs_nothing():
    wrapped = approved(decide=lambda request: Edit({"sauce": "z"}))(move)
    with pytest.raises(BadOptionError, match="'sauce', and move takes source, target, rest, force"):
        wrapped("a")


def test_a_wrapped_function_looks_as_before():
    import inspect

    wrapped = approved(move)
    assert (wrapped.__name__, wrapped.__doc__) == ("move", "Move a file.")
    assert inspect.signature(wrapped) == inspect.signature(move)


def test_the_object_of_a_method_is_no_input():
    class Shop:
        @approved(decide=lambda request: Edit({"count": request.inputs["count"] + 1}))
        def sell(self, count):
            return self, count

    shop = Shop()
    assert shop.sell(1) == (shop, 2)


def test_a_rejected_function_does_not_run_and_may_return_what_was_said():
    ran = []

    def tool(x):
        ran.append(x)

    with pytest.raises(HumanRejectedException, match="rejected: no") as refused:
        approved(decide=lambda request: Reject("no"))(tool)(1)
    told = approved(decide=lambda request: Reject("no"), rejected=str)(tool)(1)
    assert told == str(refused.value) == "The tool tool was not run: it was rejected: no"
    assert not ran


async def test_a_coroutine_function_is_asked_for_in_its_loop():
    loops = []

    async def decide(request):
        loops.append(asyncio.get_running_loop())
        return Edit({"x": 2}) if request.inputs["x"] else Reject()

    async def tool(x):
        return x

    wrapped = approved(decide=decide)(tool)
    assert await wrapped(1) == 2
    with pytest.raises(HumanRejectedException):
        await wrapped(0)
    assert set(loops) == {asyncio.get_running_loop()}


async def test_sync_tools_ask_async_deciders_where_a_loop_is_running():
    async def decide(request):
        await asyncio.sleep(0)
        return True

    assert approved(decide=decide)(move)("a")[0] == "a"


def test_tools_of_one_wrapper_are_asked_for_one_after_the_other():
    crowd = Crowd()
    ask_first = approved(decide=crowd)
    tools = [ask_first(move), ask_first(lambda source: source)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: tools[n % 2]("a"), range(20)))
    assert (crowd.asked, crowd.most) == (20, 1)


def test_what_is_no_tool_is_refused():
    async def stream():
        yield 1

    for thing in (3, "tool", int, stream):
        with pytest.raises(BadOptionError, match="can't be approved"):
            approved(thing)


# What is traced.


def traced_events(decide):
    kept = []

    @traceable(run_type="tool", callbacks=[RecordingHandler()])
    @approved(decide=decide, rejected=str)
    def tool(x):
        return x

    def note(tree):
        kept.extend(tree.events)

    tool(1, langsmith_extra={"on_end": note})
    return [(each["name"], each["kwargs"]) for each in kept]


def test_a_decision_is_noted_in_the_run_of_a_traced_tool():
    assert traced_events(lambda request: True) == [
        ("approval", {"tool": "tool", "decision": "approve"})
    ]
    assert traced_events(lambda request: Edit({"x": 2})) == [
        ("approval", {"tool": "tool", "decision": "edit", "inputs": {"x": 2}})
    ]
    assert traced_events(lambda request: Reject("no")) == [
        ("approval", {"tool": "tool", "decision": "reject", "reason": "no"})
    ]


async def test_a_decision_is_noted_in_async_code_too():
    seen = []

    @traceable(run_type="tool", callbacks=[RecordingHandler()])
    async def tool():
        await ause_tool(AsyncHumanApprovalCallbackHandler(lambda request: True))
        seen.extend(get_current_run_tree().events)

    await tool()
    assert [each["kwargs"]["decision"] for each in seen] == ["approve"]
