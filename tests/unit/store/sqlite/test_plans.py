"""Each kind of list is found by an index, in order: nothing is sorted, nothing is scanned."""

import pytest

from callboard.query import parse
from callboard.store.records import ProjectQuery, RunQuery
from callboard.store.sqlite import SqliteStore, deleting, listing, writing
from tests.contract.stores.made import created, ended, numbers, pages, run


@pytest.fixture
def store(tmp_path):
    made = SqliteStore.open(tmp_path / "board.db")
    made.write([created(1, tags=["t"], extra={"metadata": {"k": "v"}}), created(2, 1), ended(1)])
    yield made
    made.close()


def plans(store, **query):
    """How SQLite goes about what it is asked for a list."""
    [project] = store.find_projects(ProjectQuery())
    asked = []

    def trace(_cursor, sql, values):
        asked.append((sql, values))
        return True

    with store._connections.reading() as connection:
        connection.db.exec_trace = trace
        listing.find_runs(connection, RunQuery(project_ids=[project.id], **query))
        connection.db.exec_trace = None
        connection.functions.forget()
        return [
            row[3]
            for sql, values in asked
            if sql.startswith("SELECT run.rid")
            for row in connection.db.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        ]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "runs_project"),
        ({"run_type": "llm"}, "runs_type"),
        ({"filter": 'eq(run_type, "llm")'}, "runs_type"),
        ({"has_error": True}, "runs_error"),
        ({"filter": 'eq(status, "error")'}, "runs_error"),
        ({"is_root": True}, "runs_root"),
        ({"filter": "eq(is_root, true)"}, "runs_root"),
        ({"is_root": True, "filter": 'gt(latency, "5s")'}, "runs_root"),
        ({"is_root": True, "filter": 'eq(name, "x")'}, "runs_root"),
        ({"is_root": True, "filter": 'eq(thread_id, "x")'}, "runs_thread"),
        ({"is_root": True, "filter": 'has(tags, "t")'}, "PRIMARY KEY"),
        ({"is_root": True, "since_us": 5, "until_us": 9}, "runs_root"),
        (
            {"is_root": True, "filter": 'and(eq(metadata_key, "k"), eq(metadata_value, "v"))'},
            "PRIMARY KEY",
        ),
    ],
)
def test_a_list_of_a_project_is_in_the_order_of_an_index(store, query, index):
    if "filter" in query:
        query = query | {"filter": parse(query["filter"])}
    [first, *rest] = plans(store, **query)
    assert first.startswith("SEARCH")
    assert index in first
    # Equal starts are put in the order of their ids: that is sorting a few.
    assert not [each for each in rest if "SCAN run" in each or "B-TREE FOR ORDER" in each]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"trace_id": run(1)}, "runs_trace"),
        ({"parent_run_id": run(1)}, "runs_parent"),
        ({"reference_example_ids": [run(7)]}, "runs_example"),
        ({"filter": f'eq(id, "{run(1)}")'}, "id=?"),
        ({"filter": f'eq(parent_run_id, "{run(1)}")'}, "runs_parent"),
        ({"filter": 'has(tags, "t")'}, "runs_trace"),
        ({"ids": [run(1)]}, "id=?"),
    ],
)
def test_what_few_runs_have_in_common_is_found_by_that(store, query, index):
    if "filter" in query:
        query = query | {"filter": parse(query["filter"])}
    found = plans(store, **query)
    assert any(index in each for each in found)
    assert not [each for each in found if "SCAN run" in each]


def test_a_search_that_takes_long_says_how_far_it_got_and_goes_on_from_there(store, monkeypatch):
    store.write([created(n, inputs={"q": f"text {n % 3}"}) for n in range(10, 40)])
    everywhere = {"filter": parse('search("text 2")'), "limit": 3}
    wanted = numbers(store.find_runs(RunQuery(filter=everywhere["filter"])).items)
    monkeypatch.setattr(listing, "SEARCHED_PAYLOADS", 8)
    page = store.find_runs(RunQuery(**everywhere))
    assert page.stopped_at_us is not None
    assert page.items[-1].start_us >= page.stopped_at_us
    assert numbers(pages(store, **everywhere)) == wanted == list(range(38, 10, -3))


def test_what_is_too_big_for_a_row_is_refused_alone(store, monkeypatch):
    monkeypatch.setattr(writing, "MAX_BYTES", 1000)
    big = created(5, inputs={"text": "x" * 2000})
    heavy = created(6, files={"photo": ("image/png", b"x" * 2000)})
    refused = store.write([big, heavy, created(7)])
    assert [each.id for each in refused] == [run(5), run(6)]
    assert "inputs has 2011 bytes" in refused[0].reason
    assert "photo" in refused[1].reason
    assert numbers(store.find_runs(RunQuery()).items) == [7, 2, 1]


def test_runs_are_deleted_in_portions_and_nothing_of_them_stays(store, monkeypatch):
    monkeypatch.setattr(deleting, "_AT_ONCE", 7)
    more = [
        created(n, 1, tags=[f"t{n}"], inputs={"n": n}, files={"f": ("a/b", b"")})
        for n in range(3, 30)
    ]
    store.write(more)
    assert store.delete_traces([run(1)]) == 29
    db = store._connections.writer
    for table in ("runs", "payloads", "attachments", "root_marks", "trace_marks"):
        assert db.execute(f"SELECT count(*) FROM {table}").get == 0
