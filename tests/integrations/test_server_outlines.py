"""A big trace is read in windows: its skeleton first."""

from uuid import uuid4

from callboard import ids
from callboard.clock import now
from callboard.tracing.dotted_order import segment
from callboard.wire import batch
from callboard.wire.operations import Operation


def grown(board, children):
    """Send a trace of a root and so many children, and return their ids in order."""
    start = now()
    root = ids.new_id()
    place = segment(start, root)
    told, order = [], [root]
    for number in range(children + 1):
        run_id = root if number == 0 else ids.new_id()
        head = {
            "id": str(run_id),
            "trace_id": str(root),
            "dotted_order": place if number == 0 else f"{place}.{segment(now(), run_id)}",
            "parent_run_id": None if number == 0 else str(root),
            "name": f"run {number}",
            "run_type": "chain" if number == 0 else "tool",
            "start_time": now().isoformat(),
            "session_name": "outlines",
        }
        told.append(Operation("create", run_id, head, {"inputs": {"n": number}}))
        order.append(run_id)
    order.pop(0)
    assert board.ask("POST", "/runs/batch", body=batch.encode(told)).status == 202
    return [str(run_id) for run_id in order]


def test_windows_of_a_trace_follow_each_other_in_the_order_of_its_tree(board):
    order = grown(board, 250)
    seen, offset = [], 0
    while offset is not None:
        path = f"/api/v1/traces/{order[0]}/outline?limit=100&offset={offset}"
        window = board.ask("GET", path).content
        assert len(window["runs"]) <= 100
        seen += [run["id"] for run in window["runs"]]
        offset = window["next_offset"]
    assert seen == order


def test_an_outline_says_how_each_run_stands(board):
    [root, child] = grown(board, 1)
    [outer, inner] = board.ask("GET", f"/traces/{root}/outline").content["runs"]
    assert (outer["name"], outer["run_type"], outer["parent_run_id"]) == ("run 0", "chain", None)
    assert (inner["id"], inner["parent_run_id"], inner["status"]) == (child, root, "pending")
    assert "inputs" not in inner


def test_a_trace_that_is_not_there_is_not_found(board):
    assert board.ask("GET", f"/traces/{uuid4()}/outline").status == 404
