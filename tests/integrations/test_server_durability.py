"""What was acknowledged is there, whatever happens to the process."""

import random
import threading
from http.client import HTTPException
from uuid import UUID

from callboard import ids
from callboard.clock import now
from callboard.tracing.dotted_order import segment
from callboard.wire import batch
from callboard.wire.operations import Operation
from tests.integrations.board import BoardProcess

ROUNDS = 6


def operations(count):
    """Yield creates and their updates, those of a run in different requests."""
    started = []
    for number in range(count):
        run_id, start = ids.new_id(), now()
        head = {
            "id": str(run_id),
            "trace_id": str(run_id),
            "dotted_order": segment(start, run_id),
            "name": f"run {number}",
            "run_type": "llm",
            "start_time": start.isoformat(),
            "session_name": "durable",
        }
        inputs = {"text": f"{number} " * 200}
        started.append(run_id)
        yield [Operation("create", run_id, head, {"inputs": inputs})]
        if number % 2:
            ended = started.pop(0)
            head = {"id": str(ended), "end_time": now().isoformat()}
            yield [Operation("update", ended, head, {"outputs": {"of": str(ended)}})]


def send_until_it_dies(board, acknowledged, stop):
    for told in operations(100_000):
        if stop.is_set():
            return
        try:
            answer = board.ask("POST", "/runs/batch", body=batch.encode(told))
        except (OSError, HTTPException):  # It died while it answered.
            return
        if answer.status == 202:
            acknowledged.extend((each.kind, each.run_id) for each in told)


def test_what_was_acknowledged_survives_a_server_that_is_killed(tmp_path):
    dice = random.Random(7)  # The moments differ anyway; this only spreads them.
    database = tmp_path / "callboard.db"
    acknowledged: list[tuple[str, UUID]] = []
    for _ in range(ROUNDS):
        board, stop = BoardProcess(database), threading.Event()
        senders = [
            threading.Thread(target=send_until_it_dies, args=(board, acknowledged, stop))
            for _ in range(3)
        ]
        for sender in senders:
            sender.start()
        stop.wait(dice.uniform(0.05, 0.5))
        board.kill()
        for sender in senders:
            sender.join(timeout=20)
    assert len(acknowledged) > 20
    with BoardProcess(database) as board:
        for kind, run_id in acknowledged:
            run = board.ask("GET", f"/runs/{run_id}").content
            if kind == "create":
                assert len(run["inputs"]["text"]) >= 400
            else:
                assert run["outputs"] == {"of": str(run_id)}


def test_a_server_that_is_stopped_closes_its_file(tmp_path):
    database = tmp_path / "callboard.db"
    with BoardProcess(database) as board:
        [told] = next(iter(operations(1)))
        assert board.ask("POST", "/runs/batch", body=batch.encode([told])).status == 202
    assert not database.with_name("callboard.db-wal").exists()
