"""What strangers, broken clients and other servers meet."""

import json
import socket
import subprocess
import sys
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from callboard import ids
from callboard.clock import now
from callboard.tracing.dotted_order import segment
from callboard.wire import compression
from tests.integrations.board import BoardProcess


def run_fields(**fields):
    run_id, start = ids.new_id(), now()
    return {
        "id": str(run_id),
        "trace_id": str(run_id),
        "dotted_order": segment(start, run_id),
        "name": "greet",
        "run_type": "chain",
        "start_time": start.isoformat(),
        "session_name": "safety",
        "inputs": {"who": "Ada"},
        **fields,
    }


def batch(*runs):
    return {"post": list(runs)}


def part(name, content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return (
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: application/json\r\n'
        b"Content-Length: %d\r\n\r\n%s\r\n" % (name.encode(), len(data), data)
    )


def multipart(*parts):
    return b"".join(parts) + b"--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_request_by_another_name_is_refused(board, host):
    answer = board.ask("GET", "/info", headers={"Host": host})
    assert answer.status in (400, 403)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_a_page_of_a_stranger_may_not_send_runs(board, origin):
    answer = board.ask("POST", "/runs/batch", batch(run_fields()), headers={"Origin": origin})
    assert answer.status == 403
    assert "may not call this server" in answer.content["detail"]


def test_a_page_of_this_machine_may(board):
    headers = {"Origin": "http://localhost:5173"}
    assert board.ask("POST", "/runs/batch", batch(run_fields()), headers=headers).status == 202


def test_one_bad_run_among_good_ones_is_refused_alone(board):
    good, bad = run_fields(), run_fields(run_type="agent")
    answer = board.ask("POST", "/runs/batch", batch(bad, good))
    assert answer.status == 422
    assert "run_type" in answer.content["detail"]
    assert board.ask("GET", f"/runs/{good['id']}").status == 200
    assert board.ask("GET", f"/runs/{bad['id']}").status == 404


def test_a_run_without_a_start_gets_it_from_its_place(board):
    run = run_fields()
    del run["start_time"]
    assert board.ask("POST", "/runs/batch", batch(run)).status == 202
    shown = board.ask("GET", f"/runs/{run['id']}").content["start_time"]
    assert shown.translate(str.maketrans("", "", "-:."))[:21] == run["dotted_order"][:21]


def test_a_place_at_a_moment_that_is_none_costs_nobody_else(board):
    odd, good = run_fields(), run_fields()
    del odd["start_time"]
    odd["dotted_order"] = f"99999999T999999999999Z{odd['id']}"
    assert board.ask("POST", "/runs/batch", batch(odd, good)).status == 202
    for run in (odd, good):
        assert board.ask("GET", f"/runs/{run['id']}").content["start_time"]


def test_one_bad_part_among_good_ones_is_refused_alone(board):
    good, bad = run_fields(), run_fields()
    body, headers = multipart(
        part(f"post.{bad['id']}", b"{broken"), part(f"post.{good['id']}", good)
    )
    answer = board.ask("POST", "/runs/multipart", body=body, headers=headers)
    assert answer.status == 422
    assert board.ask("GET", f"/runs/{good['id']}").content["name"] == "greet"


def test_a_body_that_stops_half_way_is_refused_whole(board):
    run = run_fields()
    body, headers = multipart(part(f"post.{run['id']}", run))
    answer = board.ask("POST", "/runs/multipart", body=body[:-9], headers=headers)
    assert answer.status == 422
    assert board.ask("GET", f"/runs/{run['id']}").status == 404


def test_a_body_that_would_become_huge_is_stopped(board):
    bomb = b"".join(compression.compress(bytes(1024 * 1024) for _ in range(400)))
    assert len(bomb) < 1_000_000
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "zstd"}
    answer = board.ask("POST", "/runs/multipart", body=bomb, headers=headers)
    assert answer.status in (413, 422)
    assert board.ask("GET", "/ok").status == 200


ANY_ID = str(uuid4()).encode()
MALFORMED = {
    "no JSON": ("POST", "/runs/query", b"{", {}),
    "no object": ("POST", "/runs/query", b"[]", {}),
    "too deep": ("POST", "/runs/query", b"[" * 100_000, {}),
    "no UUID in a body": ("POST", "/runs/query", b'{"id": ["x"]}', {}),
    "no UUID in a path": ("GET", "/runs/x", None, {}),
    "a number for text": ("POST", "/runs/query", b'{"filter": 1}', {}),
    "no filter": ("POST", "/runs/query", b'{"filter": "eq(name"}', {}),
    "no cursor": ("POST", "/runs/query", b'{"cursor": "x"}', {}),
    "a column that is none": ("POST", "/runs/query", b'{"select": ["drop table"]}', {}),
    "a negative limit": ("POST", "/runs/query", b'{"limit": -1}', {}),
    "no boundary": ("POST", "/runs/multipart", b"x", {"Content-Type": "multipart/form-data"}),
    "no multipart": ("POST", "/runs/multipart", b"x", {"Content-Type": "text/plain"}),
    "another compression": ("POST", "/runs/batch", b"x", {"Content-Encoding": "br"}),
    "no zstd": ("POST", "/runs/batch", b"x", {"Content-Encoding": "zstd"}),
    "no list": ("POST", "/runs/batch", b'{"post": {}}', {}),
    "a year that is none": ("POST", "/runs/query", b'{"start_time": "99999-01-01"}', {}),
    "a zero byte": ("POST", "/sessions", b'{"name": ""}', {}),
    "feedback of nothing": ("POST", "/feedback", b"{}", {}),
    "v2 without a project": ("POST", "/api/v2/runs/query", b"{}", {}),
    "v2, a column that is none": ("GET", f"/api/v2/runs/{uuid4()}?selects=X", None, {}),
    "a token for nothing": ("POST", "/feedback/tokens", b"[1]", {}),
    "a column that is null": ("POST", "/runs/query", b'{"select": [null]}', {}),
    "v2, a column that is null": (
        "POST",
        "/api/v2/runs/query",
        b'{"project_ids": ["%s"], "selects": [null]}' % ANY_ID,
        {},
    ),
    "an endless limit": ("GET", "/sessions?limit=inf", None, {}),
    "an endless page": (
        "POST",
        "/api/v2/runs/query",
        b'{"ids": ["%s"], "page_size": "inf"}' % ANY_ID,
        {},
    ),
    "an offset beyond all": ("GET", "/sessions?offset=1e300", None, {}),
    "an outline beyond all": ("GET", f"/traces/{uuid4()}/outline?offset=1e300", None, {}),
    "a token for ever": (
        "POST",
        "/feedback/tokens",
        b'{"run_id": "%s", "feedback_key": "k", "expires_in": {"days": 1e300}}' % ANY_ID,
        {},
    ),
    "a token beyond the calendar": (
        "POST",
        "/feedback/tokens",
        b'{"run_id": "%s", "feedback_key": "k", "expires_in": {"days": 900000000}}' % ANY_ID,
        {},
    ),
    "a score beyond adding": ("POST", "/feedback", b'{"key": "k", "score": 1e308}', {}),
    "categories that are none": (
        "POST",
        "/feedback-configs",
        b'{"feedback_key": "k", "feedback_config": {"type": "categorical", "categories": [1]}}',
        {},
    ),
    "categories that are no list": (
        "POST",
        "/feedback-configs",
        b'{"feedback_key": "k", "feedback_config": {"type": "categorical", "categories": 5}}',
        {},
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_answered_with_a_sentence(board, case):
    method, path, body, headers = MALFORMED[case]
    answer = board.ask(method, path, body=body, headers=headers)
    assert 400 <= answer.status < 500, answer
    assert isinstance(answer.content["detail"], str)
    assert "Traceback" not in answer.content["detail"]


@pytest.mark.parametrize("body", [b'{"limit": 1e400}', b'{"filter": "eq(name, \\"\\ud800\\")"}'])
def test_what_no_run_can_match_is_no_fault_of_the_server(board, body):
    assert board.ask("POST", "/runs/query", body=body).status < 500


WRONG_FEEDBACK = [
    {"score": "good"},
    {"score": 1e308},
    {"feedback_source": 5},
    {"comment": {"a": 1}},
]


@pytest.mark.parametrize("change", WRONG_FEEDBACK)
def test_feedback_that_is_changed_wrongly_stays_as_it_was_and_so_does_its_run(board, change):
    run = run_fields()
    board.ask("POST", "/runs/batch", batch(run))
    given = {"id": str(uuid4()), "run_id": run["id"], "key": "mood", "score": 1, "comment": "So."}
    board.ask("POST", "/feedback", given)
    path = f"/feedback/{given['id']}"
    before = board.ask("GET", path).content
    answer = board.ask("PATCH", path, change)
    assert answer.status == 422
    assert next(iter(change)) in answer.content["detail"]
    assert board.ask("GET", path).content == before
    assert board.ask("GET", f"/runs/{run['id']}").content["feedback_stats"]["mood"]["avg"] == 1


def test_what_feedback_says_besides_can_be_changed(board):
    given = {"id": str(uuid4()), "key": "mood", "extra": {"seen": 1}, "session_hint": "kept"}
    board.ask("POST", "/feedback", given)
    path = f"/feedback/{given['id']}"
    for extra in ({"seen": 2}, 5, None):
        assert board.ask("PATCH", path, {"extra": extra}).status == 200
        shown = board.ask("GET", path).content
        assert (shown["extra"], shown["session_hint"]) == (extra, "kept")


def test_a_project_keeps_a_name(board):
    project = board.ask("POST", "/sessions", {"name": "named"}).content
    assert board.ask("PATCH", f"/sessions/{project['id']}", {"name": ""}).status == 422
    assert board.ask("GET", f"/sessions/{project['id']}").content["name"] == "named"


def test_a_project_is_not_taken_for_another_of_its_id(board):
    project = board.ask("POST", "/sessions", {"name": "one of them"}).content
    other = {"id": project["id"], "name": "another of them"}
    answer = board.ask("POST", "/sessions?upsert=true", other)
    assert answer.status == 409
    assert "another of them" in answer.content["detail"]


@pytest.mark.parametrize("mime_type", ["image/png; a=\u20ac", "image/png\x00", "te xt", ""])
def test_a_file_of_an_impossible_type_is_one_of_bytes(board, mime_type):
    run = run_fields()
    file = b'--b\r\nContent-Disposition: form-data; name="attachment.%s.pic"\r\n' % (
        run["id"].encode()
    )
    file += b"Content-Type: %s; length=3\r\nContent-Length: 3\r\n\r\nabc\r\n" % mime_type.encode()
    body, headers = multipart(part(f"post.{run['id']}", run), file)
    assert board.ask("POST", "/runs/multipart", body=body, headers=headers).status == 202
    answer = board.ask("GET", f"/runs/{run['id']}/attachments/pic")
    assert (answer.status, answer.content) == (200, "abc")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def token_of(board):
    """Make a run and a feedback token for it; return the run's id, and the token's path."""
    run = run_fields()
    board.ask("POST", "/runs/batch", batch(run))
    wanted = {"run_id": run["id"], "feedback_key": "mood"}
    token = board.ask("POST", "/feedback/tokens", wanted).content
    return run["id"], urlsplit(token["url"]).path


@pytest.mark.parametrize(("link", "score"), [("0.5", 0.5), ("true", True), ("1", 1.0)])
def test_a_link_gives_feedback_with_a_score(board, link, score):
    run_id, path = token_of(board)
    assert board.ask("GET", f"{path}?score={link}&comment=So.").status == 200
    [given] = board.ask("GET", f"/feedback?run={run_id}").content
    assert (given["score"], given["comment"]) == (score, "So.")


def test_to_look_where_a_link_leads_gives_no_feedback(board):
    run_id, path = token_of(board)
    assert board.ask("HEAD", f"{path}?score=1").status == 200
    assert board.ask("GET", f"/feedback?run={run_id}").content == []


def test_a_filter_that_is_wrong_is_pointed_at(board):
    answer = board.ask("POST", "/runs/query", {"filter": 'eq(nmae, "x")'})
    assert (answer.status, answer.content["column"]) == (400, 4)
    assert "name" in answer.content["detail"]


@pytest.mark.parametrize("path", ["/examples", "/api/v1/annotation-queues", "/repos/"])
def test_what_is_not_there_yet_is_named(board, path):
    answer = board.ask("GET", path)
    assert answer.status == 501
    assert "does not have that yet" in answer.content["detail"]


def test_a_path_that_nobody_knows_is_not_found(board):
    assert board.ask("GET", "/no/such/thing").status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/runs/query", "POST"),
        ("OPTIONS", "/api/v1/runs/multipart", "POST"),
        ("DELETE", "/api/v2/traces/query", "POST"),
        ("PUT", "/sessions", "GET, HEAD, POST"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_answered_with_those_that_it_does(
    board, method, path, allowed
):
    answer = board.ask(method, path)
    assert answer.status == 405
    assert f"takes {allowed}" in answer.content["detail"]
    assert f"not {method}" in answer.content["detail"]
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("prefix", ["", "/api", "/api/v1"])
def test_a_slash_at_the_end_means_nothing(board, prefix):
    run = run_fields()
    assert board.ask("POST", f"{prefix}/runs/batch/", batch(run)).status == 202
    for path in (f"/runs/{run['id']}", "/sessions", "/info", "/datasets", "/feedback-configs"):
        with_one, without = (board.ask("GET", f"{prefix}{path}{end}") for end in ("/", ""))
        assert (with_one.status, with_one.content) == (200, without.content)


def test_a_slash_in_a_files_name_is_one(board):
    run = run_fields()
    file = b'--b\r\nContent-Disposition: form-data; name="attachment.%s.a/b/"\r\n' % (
        run["id"].encode()
    )
    file += b"Content-Type: text/plain; length=3\r\nContent-Length: 3\r\n\r\nabc\r\n"
    body, headers = multipart(part(f"post.{run['id']}", run), file)
    assert board.ask("POST", "/runs/multipart", body=body, headers=headers).status == 202
    [shown] = board.ask("GET", f"/runs/{run['id']}").content["s3_urls"].values()
    assert board.ask("GET", urlsplit(shown["presigned_url"]).path).content == "abc"


def test_a_client_that_sends_nonsense_costs_nobody_else(board):
    address = urlsplit(board.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        connection.recv(100)
    assert board.ask("GET", "/ok").status == 200


@pytest.mark.parametrize("path", ["/runs/batch", "/runs/multipart", "/runs/query"])
def test_a_client_that_goes_away_is_no_fault_of_the_server(tmp_path, path):
    with BoardProcess(tmp_path / "callboard.db") as board:
        address = urlsplit(board.url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            connection.sendall(
                b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b" % path.encode()
            )
            assert board.ask("GET", "/ok").status == 200
        assert board.ask("GET", "/ok").status == 200
        errors = board.stop()
    assert "please report it" not in errors
    assert "ClientDisconnect" not in errors


def test_a_second_server_on_the_same_file_is_refused(board):
    with pytest.raises(RuntimeError, match=r"Another Callboard server has .* open"):
        BoardProcess(board.database)


def test_a_port_that_is_taken_is_named(board, tmp_path):
    port = str(urlsplit(board.url).port)
    with pytest.raises(RuntimeError, match=f"port {port}"):
        BoardProcess(tmp_path / "other.db", "--port", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com"])
def test_it_listens_at_loopback_only(host, tmp_path):
    with pytest.raises(RuntimeError, match="listens at loopback addresses only"):
        BoardProcess(tmp_path / "callboard.db", "--host", host)


def test_without_the_extra_it_says_what_to_install():
    program = (
        "import sys; sys.modules['starlette.applications'] = None; sys.modules['uvicorn'] = None\n"
        "from callboard.cli.main import main; sys.exit(main(['serve']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert ran.returncode == 1
    assert "pip install 'callboard[server]'" in ran.stderr
