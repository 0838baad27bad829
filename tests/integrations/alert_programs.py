"""Programs that send alerts and end, each in its own way; the tests run them as processes."""

import os
import sys
import threading
from multiprocessing import get_context

from callboard.callbacks import CallbackManager
from callboard.integrations import AlertCallbackHandler
from callboard.integrations.alerts import ErrorCount, Webhook


def fail(handler: AlertCallbackHandler, name: str) -> None:
    run = CallbackManager.configure([handler]).on_chain_start(None, {}, name=name)
    run.on_chain_error(ValueError(name))


def ends(handler: AlertCallbackHandler) -> None:
    fail(handler, "the last")


def forks(handler: AlertCallbackHandler) -> None:
    """Send one from each process; a thread that the child has not got holds the lock."""
    fail(handler, "parent")
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with handler._judging:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        fail(handler, "child")
        handler.close()
        os._exit(0)
    os.waitpid(child, 0)
    over.set()
    thread.join()


def multiplies(handler: AlertCallbackHandler) -> None:
    worker = get_context("fork").Process(target=fail, args=(handler, "worker"))
    worker.start()
    worker.join()


def main() -> None:
    what, url = sys.argv[1:]
    handler = AlertCallbackHandler(ErrorCount(), Webhook(url))
    {"ends": ends, "forks": forks, "multiplies": multiplies}[what](handler)


if __name__ == "__main__":
    main()
