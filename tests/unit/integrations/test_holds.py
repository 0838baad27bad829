"""Locks of handlers, where the garbage collector ends a run amid another, and after a fork."""

import io
import os
import subprocess
import sys
import threading

import pytest

from callboard.integrations import JsonLinesCallbackHandler
from callboard.integrations.holds import Hold
from tests.unit.integrations.scenes import manager_of


class Collecting(io.StringIO):
    """A stream, while it writes to which something is done once, as by the garbage collector."""

    then = None

    def write(self, text):
        then, self.then = self.then, None
        if then is not None:
            then()
        return super().write(text)


def test_a_run_may_end_while_another_is_being_written():
    stream = Collecting()
    handler = JsonLinesCallbackHandler(stream)
    abandoned = manager_of(handler).on_chain_start(None, {}, name="abandoned")
    stream.then = lambda: abandoned.on_chain_end({})
    manager_of(handler).on_chain_start(None, {}, name="other").on_chain_end({})
    assert len(stream.getvalue().splitlines()) == 2


def test_other_threads_wait_for_who_has_it():
    hold, order = Hold(), []

    def take():
        with hold:
            order.append("second")

    other = threading.Thread(target=take)
    with hold, hold:
        other.start()
        other.join(0.05)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forks_child_waits_for_no_thread_of_its_parents():
    program = """
import io, os, signal, threading, warnings
from callboard.callbacks import CallbackManager
from callboard.integrations import JsonLinesCallbackHandler

warnings.simplefilter("ignore", DeprecationWarning)  # Newer Pythons' for forks with threads.
writing, over = threading.Event(), threading.Event()

class Slow(io.StringIO):
    def write(self, text):
        if threading.current_thread() is not threading.main_thread():
            writing.set()
            over.wait()
        return super().write(text)

stream = Slow()
handler = JsonLinesCallbackHandler(stream)

def run(name):
    CallbackManager.configure([handler]).on_chain_start(None, {}, name=name).on_chain_end({})

thread = threading.Thread(target=run, args=("parent",))
thread.start()
writing.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    run("child")
    os._exit(0 if "child" in stream.getvalue() else 1)
_, status = os.waitpid(child, 0)
over.set()
thread.join()
print(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
