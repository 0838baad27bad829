"""The handler that writes to a file."""

import errno
import gc
import os
import threading
from pathlib import Path

import pytest

from callboard.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    FileCallbackHandler,
)
from callboard.errors import ClosedHandlerError
from callboard.payloads import AgentAction, AgentFinish


@pytest.fixture
def path(tmp_path):
    return tmp_path / "steps.log"


def open_files():
    """Return the paths that this process has open."""
    fds = Path("/proc/self/fd")
    if not fds.exists():
        pytest.skip("this system does not list open files")
    found = set()
    for fd in list(fds.iterdir()):
        try:
            found.add(str(fd.readlink()))
        except OSError:
            continue
    return found


def steps(handler):
    """Tell a handler everything that it writes."""
    manager = CallbackManager([handler], [handler])
    chain = manager.on_chain_start({"name": "lookup"}, {})
    chain.on_agent_action(AgentAction("search", "query", "Let me search.\n"))
    tool = chain.get_child().on_tool_start({"name": "search"}, "query")
    tool.on_tool_end("found", observation_prefix="Observation: ", llm_prefix="Thought:")
    chain.on_text(" I see.", end="\n")
    chain.on_agent_finish(AgentFinish({}, "I know."))
    chain.on_chain_end({})


WRITTEN = (
    "\n\n> Entering new lookup chain...\n"
    "Let me search.\n"
    "\nObservation: found\nThought:"
    " I see.\n"
    "I know.\n"
    "\n> Finished chain.\n"
)


def test_everything_is_written_in_a_with_block(path):
    with FileCallbackHandler(str(path)) as handler:
        steps(handler)
    assert path.read_text("utf-8") == WRITTEN


def test_everything_is_written_without_a_with_block(path):
    handler = FileCallbackHandler(str(path))
    steps(handler)
    assert path.read_text("utf-8") == WRITTEN


async def test_everything_is_written_from_async_code(path):
    handler = FileCallbackHandler(str(path))
    run = await AsyncCallbackManager([handler]).on_chain_start({"name": "a"}, {})
    await run.on_text("text")
    await run.on_chain_end({})
    assert path.read_text("utf-8") == "\n\n> Entering new a chain...\ntext\n> Finished chain.\n"


def test_colour_goes_into_the_file_only_if_asked_for(path):
    FileCallbackHandler(str(path)).on_text("plain")
    FileCallbackHandler(str(path), color="red").on_text("red")
    assert path.read_text("utf-8") == "plain\x1b[31;1m\x1b[1;3mred\x1b[0m"


@pytest.mark.parametrize("mode", ["a", "w", "x"])
@pytest.mark.parametrize("block", [True, False])
def test_a_new_file_is_begun_in_every_mode(path, mode, block):
    handler = FileCallbackHandler(str(path), mode)
    assert path.exists()
    assert (handler.filename, handler.mode, handler.color) == (str(path), mode, None)
    if block:
        with handler:
            handler.on_text("one")
            handler.on_text("two")
    else:
        handler.on_text("one")
        handler.on_text("two")
    assert path.read_text("utf-8") == "onetwo"


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize(("mode", "kept"), [("a", "before "), ("w", "")])
def test_a_file_that_is_there_is_appended_to_or_emptied(path, mode, kept, block):
    path.write_text("before ", "utf-8")
    handler = FileCallbackHandler(str(path), mode)
    if block:
        with handler:
            handler.on_text("after")
            handler.on_text("wards")
    else:
        handler.on_text("after")
        handler.on_text("wards")
    assert path.read_text("utf-8") == f"{kept}afterwards"


def test_a_file_that_is_there_is_appended_to_by_default(path):
    path.write_text("before ", "utf-8")
    FileCallbackHandler(str(path)).on_text("after")
    assert path.read_text("utf-8") == "before after"


def test_an_exclusive_handler_refuses_a_file_that_is_there(path):
    path.write_text("before", "utf-8")
    with pytest.raises(FileExistsError, match=r"FileCallbackHandler.*steps\.log") as caught:
        FileCallbackHandler(str(path), "x")
    assert caught.value.errno == errno.EEXIST
    assert path.read_text("utf-8") == "before"


@pytest.mark.parametrize(
    ("filename", "error"),
    [("missing/steps.log", FileNotFoundError), (".", IsADirectoryError)],
)
def test_a_path_that_cannot_be_written_is_refused_at_once_and_named(tmp_path, filename, error):
    with pytest.raises(error, match="FileCallbackHandler can't write to") as caught:
        FileCallbackHandler(str(tmp_path / filename))
    assert str(tmp_path) in str(caught.value)


@pytest.fixture
def _no_privileges(tmp_path):
    """Be nobody for the length of a test, if this user may write everything."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions are another matter on this system")
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)
    tmp_path.chmod(0o700)


@pytest.mark.usefixtures("_no_privileges")
def test_a_file_that_may_not_be_written_is_refused_at_once(path):
    with pytest.raises(PermissionError, match=r"FileCallbackHandler.*steps\.log"):
        FileCallbackHandler(str(path))


def test_text_is_written_in_utf_8(path):
    FileCallbackHandler(str(path)).on_text("Grüße, 世界 🎉")
    assert path.read_bytes() == "Grüße, 世界 🎉".encode()


def test_a_path_object_does_as_well(path):
    FileCallbackHandler(path).on_text("text")
    assert path.read_text("utf-8") == "text"


def test_a_relative_path_stays_where_it_was_when_the_directory_changes(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    handler = FileCallbackHandler("steps.log")
    monkeypatch.chdir(there)
    handler.on_text("one")
    with handler:
        handler.on_text("two")
    assert handler.filename == "steps.log"
    assert (here / "steps.log").read_text("utf-8") == "onetwo"
    assert list(there.iterdir()) == []


# --- Handles ----------------------------------------------------------------------------------


def test_no_handle_is_open_outside_of_a_with_block(path):
    handler = FileCallbackHandler(str(path))
    assert str(path) not in open_files()
    steps(handler)
    assert str(path) not in open_files()
    assert handler.file is None


def test_a_handle_is_open_inside_a_with_block_only(path):
    with FileCallbackHandler(str(path)) as handler:
        assert str(path) in open_files()
        file = handler.file
    assert file.closed
    assert handler.file is None
    assert str(path) not in open_files()


def test_a_handler_that_is_forgotten_leaves_nothing_open(path):
    # A file that is collected while open warns, and a warning is an error.
    handler = FileCallbackHandler(str(path))
    handler.on_text("text")
    del handler
    gc.collect()
    assert str(path) not in open_files()


def test_an_exception_in_the_block_closes_the_file_and_passes(path):
    handler = FileCallbackHandler(str(path))

    def fail():
        with handler:
            handler.on_text("before")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert handler.file is None
    assert path.read_text("utf-8") == "before"


def test_a_write_is_in_the_file_when_it_returns(path):
    with FileCallbackHandler(str(path)) as handler:
        handler.on_text("text")
        assert path.read_text("utf-8") == "text"


def test_nested_blocks_share_one_handle_until_the_outermost_ends(path):
    handler = FileCallbackHandler(str(path))
    with handler:
        file = handler.file
        with handler:
            assert handler.file is file
            handler.on_text("inner ")
        assert handler.file is file
        handler.on_text("outer")
    assert file.closed
    assert str(path) not in open_files()
    with pytest.raises(ClosedHandlerError):
        handler.on_text("after")
    assert path.read_text("utf-8") == "inner outer"


def test_closing_inside_nested_blocks_closes_for_all_of_them(path):
    handler = FileCallbackHandler(str(path))
    with handler:
        with handler:
            handler.close()
            with pytest.raises(ClosedHandlerError):
                handler.on_text("after")
        with handler:
            handler.on_text("again")
        assert str(path) not in open_files()
    assert path.read_text("utf-8") == "again"


def test_a_block_that_was_left_by_closing_leaves_none_of_the_later_ones_open(path):
    handler = FileCallbackHandler(str(path))
    handler.__enter__()
    handler.close()
    with handler:
        handler.on_text("text")
    assert str(path) not in open_files()


# --- Closed -----------------------------------------------------------------------------------


def test_a_closed_handler_refuses_to_write(path):
    handler = FileCallbackHandler(str(path))
    handler.on_text("before")
    handler.close()
    with pytest.raises(ClosedHandlerError):
        handler.on_text("after")
    assert path.read_text("utf-8") == "before"


def test_a_handler_is_closed_after_its_block(path):
    with FileCallbackHandler(str(path)) as handler:
        pass
    with pytest.raises(ClosedHandlerError):
        handler.on_chain_end({})


def test_closing_again_is_no_mistake(path):
    with FileCallbackHandler(str(path)) as handler:
        handler.close()
        handler.close()
    handler.close()


def test_a_closed_handler_may_be_opened_for_another_block(path):
    handler = FileCallbackHandler(str(path), "w")
    with handler:
        handler.on_text("one")
    with handler:
        handler.on_text("two")
    assert path.read_text("utf-8") == "onetwo"


def test_a_closed_handler_does_not_break_the_run(path, caplog):
    handler = FileCallbackHandler(str(path))
    handler.close()
    CallbackManager([handler]).on_chain_start({}, {})
    (record,) = caplog.records
    assert "FileCallbackHandler.on_chain_start failed" in record.getMessage()


# --- Concurrency ------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [True, False])
def test_concurrent_writes_are_whole(path, block):
    handler = FileCallbackHandler(str(path))
    if block:
        handler.__enter__()
    threads, lines = 8, 50
    together = threading.Barrier(threads)

    def write(number):
        run = CallbackManager([handler]).on_chain_start({"name": "c"}, {})
        together.wait()
        for _ in range(lines):
            run.on_text(str(number) * 1000, end="\n")

    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    handler.close()
    written = [line for line in path.read_text("utf-8").splitlines() if line[:1].isdigit()]
    assert sorted(written) == sorted(
        str(number) * 1000 for number in range(threads) for _ in range(lines)
    )


def test_several_handlers_append_to_one_file(path):
    one, two = FileCallbackHandler(str(path)), FileCallbackHandler(str(path))
    with one, two:
        for number in range(5):
            one.on_text(f"one {number}\n")
            two.on_text(f"two {number}\n")
    assert path.read_text("utf-8").splitlines() == [
        f"{name} {number}" for number in range(5) for name in ("one", "two")
    ]


def test_it_is_a_handler(path):
    assert isinstance(FileCallbackHandler(str(path)), BaseCallbackHandler)
