"""A web server's workers, for tests: processes that fork, count, and die; then a scrape.

Prints what Prometheus is told over HTTP while two of the workers still run, and when they have
died, as two JSON texts, a line each.
"""

import json
import os
import sys
import urllib.request

import prometheus_client as client
from prometheus_client import multiprocess

from callboard.integrations import PrometheusCallbackHandler
from tests.unit.integrations.scenes import ask, manager_of, serve


def work(handler, pipe):
    """Serve twice, and begin a call that does not end before the process does."""
    for _ in range(2):
        serve(handler)
    manager_of(handler).on_chat_model_start(None, [[("user", "x")]], name="c")
    os.write(pipe, b"x")
    sys.stdin.read()  # Until the test's pipe is closed.


def scrape():
    registry = client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    server, thread = client.start_http_server(0, "127.0.0.1", registry=registry)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        sys.stdout.write(json.dumps(answer.read().decode()) + "\n")
        sys.stdout.flush()
    server.shutdown()
    server.server_close()
    thread.join()


def main():
    handler = PrometheusCallbackHandler(max_names=2)  # Made before the workers are, as by preload.
    ask(manager_of(handler))
    ready, tell = os.pipe()
    workers = []
    for _ in range(2):
        worker = os.fork()
        if not worker:
            work(handler, tell)
            os._exit(0)
        workers.append(worker)
    for _ in workers:
        os.read(ready, 1)
    scrape()
    sys.stdin.read()
    for worker in workers:
        os.waitpid(worker, 0)
        multiprocess.mark_process_dead(worker)
    scrape()


main()
