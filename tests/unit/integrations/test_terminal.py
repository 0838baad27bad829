"""Approval at a terminal: a real one, of the system's pseudo-terminals."""

import asyncio
import io
import os
import sys
import threading

import pytest

from callboard.integrations import (
    Approve,
    AsyncHumanApprovalCallbackHandler,
    Edit,
    HumanApprovalCallbackHandler,
    HumanRejectedException,
    Reject,
    ToolRequest,
    approved,
    ask_in_terminal,
)
from tests.unit.integrations.test_approval import ause_tool, use_tool

REQUEST = ToolRequest.of("/tmp/a", "rm", {"path": "/tmp/a", "force": True})


@pytest.fixture
def typed(monkeypatch):
    """Types at the terminal that standard input is."""
    openpty = getattr(os, "openpty", None) or pytest.skip("there are no pseudo-terminals")
    person, program = openpty()
    with os.fdopen(program, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda *lines: [os.write(person, f"{line}\n".encode()) for line in lines]
    os.close(person)


@pytest.mark.parametrize(
    ("lines", "decision"),
    [
        (["y"], Approve()),
        (["Approve"], Approve()),
        (["n"], Reject()),
        (["r it is still needed"], Reject("it is still needed")),
        (["e", '{"path": "/tmp/b"}'], Edit({"path": "/tmp/b"})),
        (["", "what?", "a"], Approve()),
        (["e", "no json", "e", "[1]", "n"], Reject()),
    ],
)
async def test_a_person_approves_edits_or_rejects(typed, capsys, lines, decision):
    typed(*lines)
    assert await ask_in_terminal(REQUEST) == decision
    told = capsys.readouterr()
    assert told.err.startswith(
        'The tool rm is about to run:\n  path: "/tmp/a"\n  force: true\n'
        "[a]pprove, [e]dit or [r]eject? "
    )
    assert not told.out


def test_the_terminal_is_asked_unless_there_is_another_decider(typed, capsys):
    typed("y", "n")
    use_tool(HumanApprovalCallbackHandler())
    with pytest.raises(HumanRejectedException):
        use_tool(HumanApprovalCallbackHandler())
    assert "[a]pprove or [r]eject? " in capsys.readouterr().err
    typed("e", '{"x": 5}')
    assert approved(lambda x: x)(1) == 5


async def test_what_a_tool_is_called_with_can_not_play_tricks_on_the_terminal(typed, capsys):
    """Escape sequences could have the screen show another command than the one that runs."""
    typed("n")
    await ask_in_terminal(ToolRequest.of("x", "rm\x1b[2J", {"a\nb": "\x1b[1A\u202e gpj \r é"}))
    told = capsys.readouterr().err
    assert "rm\\x1b[2J is about" in told
    assert '  a\\nb: "\\u001b[1A\\u202e gpj \\r é"\n' in told


async def test_whatever_a_tool_is_called_with_can_be_asked_about(typed, capsys):
    circle = []
    circle.append(circle)
    typed("n")
    await ask_in_terminal(ToolRequest.of("x", "rm", {"a": {(1, 2): object()}, "b": circle}))
    assert "  b: " in capsys.readouterr().err


async def test_two_questions_never_interleave(typed, capsys):
    """The former async handler called input(), so that two would read each other's answers."""
    requests = [ToolRequest.of("", f"tool-{number}", {"number": number}) for number in range(4)]
    tasks = [asyncio.create_task(ask_in_terminal(each)) for each in requests]
    for _ in tasks:
        told = ""
        while not told.endswith("? "):
            await asyncio.sleep(0.005)
            told += capsys.readouterr().err
        assert told.count("about to run") == 1
        typed("y")
    assert await asyncio.gather(*tasks) == [Approve()] * 4


async def test_the_event_loop_goes_on_while_the_question_stands(typed):
    task = asyncio.create_task(ause_tool(AsyncHumanApprovalCallbackHandler()))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not task.done()
    typed("y")
    await task


async def test_a_question_that_is_taken_back_leaves_the_next_line_to_the_next(typed):
    handler = AsyncHumanApprovalCallbackHandler(timeout=0.01)
    with pytest.raises(HumanRejectedException, match="nobody decided"):
        await ause_tool(handler)
    typed("y")
    await ause_tool(AsyncHumanApprovalCallbackHandler())


def test_so_it_is_in_sync_code(typed):
    with pytest.raises(HumanRejectedException, match="nobody decided"):
        use_tool(HumanApprovalCallbackHandler(timeout=0.01))
    typed("y")
    use_tool(HumanApprovalCallbackHandler())


def test_threads_share_the_terminal_with_tasks(typed, capsys):
    threads = [
        threading.Thread(target=use_tool, args=(HumanApprovalCallbackHandler(),)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        typed("y")
    for thread in threads:
        thread.join(30)
    assert capsys.readouterr().err.count("about to run") == 3


@pytest.mark.parametrize(
    ("given", "decision"),
    [("y\n", Approve()), ("", Reject("there is nobody at the terminal"))],
)
async def test_where_there_is_no_terminal_lines_are_read_and_their_end_rejects(
    monkeypatch, given, decision
):
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    assert await ask_in_terminal(REQUEST) == decision


async def test_without_standard_input_everything_is_rejected(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert await ask_in_terminal(REQUEST) == Reject("there is nobody at the terminal")
