"""Projects, feedback, shares and settings: made, found, changed, deleted."""

from dataclasses import replace
from uuid import UUID

import pytest

from callboard.errors import BadOptionError, NameTakenError
from callboard.store.records import FeedbackQuery, Project, ProjectQuery
from callboard.wire.operations import Feedback
from tests.contract.stores.made import START_US, at, created, listed, run, said, whole

ONE, OTHER = (
    Project(UUID(int=1), "one", 20, extra={"metadata": {"a": 1, "b": "x"}}),
    Project(UUID(int=2), "other ONE", 30, description="d", reference_dataset_id=UUID(int=9)),
)


@pytest.fixture
def with_projects(store):
    for project in (ONE, OTHER):
        assert store.create_project(replace(project)) == project
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["other ONE", "one"]),
        ({"ids": [UUID(int=1)]}, ["one"]),
        ({"name": "one"}, ["one"]),
        ({"name_contains": "ONE"}, ["other ONE", "one"]),
        ({"name_contains": "%"}, []),
        ({"reference_free": True}, ["one"]),
        ({"reference_free": False}, ["other ONE"]),
        ({"reference_dataset_ids": [UUID(int=9)]}, ["other ONE"]),
        ({"metadata": {"a": 1}}, ["one"]),
        ({"metadata": {"a": 2}}, []),
        ({"limit": 1, "offset": 1}, ["one"]),
        ({"limit": 1, "offset": 1, "metadata": {"a": 1}}, []),
    ],
)
def test_projects_are_found_by_what_is_asked(with_projects, query, found):
    assert [each.name for each in with_projects.find_projects(ProjectQuery(**query))] == found


@pytest.mark.parametrize("same", [{"id": UUID(int=1)}, {"name": "one"}])
def test_a_project_is_not_made_twice(with_projects, same):
    taken = Project(**({"id": UUID(int=3), "name": "third", "start_us": 1} | same))
    assert with_projects.create_project(taken) is None


def test_a_project_is_changed_field_by_field(with_projects):
    changed = with_projects.update_project(UUID(int=1), {"name": "new", "end_us": 50})
    assert changed == replace(ONE, name="new", end_us=50)
    assert with_projects.find_projects(ProjectQuery(name="new")) == [changed]
    assert with_projects.update_project(UUID(int=8), {"name": "new"}) is None
    with pytest.raises(NameTakenError, match="other ONE"):
        with_projects.update_project(UUID(int=1), {"name": "other ONE"})
    with pytest.raises(BadOptionError, match="colour"):
        with_projects.update_project(UUID(int=1), {"colour": "red"})


def test_runs_go_to_the_project_that_has_the_name_now(store):
    store.write([created(1)])
    [project] = store.find_projects(ProjectQuery())
    store.update_project(project.id, {"name": "renamed"})
    store.write([created(2), created(3, session_name="renamed")])
    assert whole(store, 2).project_id != project.id
    assert whole(store, 3).project_id == project.id


def test_a_project_is_deleted_with_all_that_is_in_it(store):
    store.write([created(1, tags=["t"]), created(2, session_name="other"), said(11, "k", 1)])
    store.share_run(run(1), run(1))
    [project] = store.find_projects(ProjectQuery(name="tests"))
    assert store.delete_project(project.id) is True
    assert store.delete_project(project.id) is False
    assert listed(store) == [2]
    assert store.find_feedback(FeedbackQuery()) == []
    assert store.find_share(run_id=run(1)) is None
    store.write([created(1)])
    assert whole(store, 1).project_id == store.find_projects(ProjectQuery(name="tests"))[0].id


def test_feedback_is_read_as_it_was_told(store):
    told = said(
        11,
        "good",
        1,
        score=True,
        value={"a": [1]},
        comment="why",
        correction={"right": 1},
        feedback_source={"type": "api", "metadata": {"by": "ada"}},
        extra={"x": 1},
        error=False,
        created_at=at(5),
    )
    assert store.write([told]) == []
    [found] = store.find_feedback(FeedbackQuery(ids=[run(11)]))
    assert (found.key, found.run_id, found.score, found.value) == ("good", run(1), True, {"a": [1]})
    assert found.score is True
    assert (found.comment, found.correction) == ("why", {"right": 1})
    assert found.source == {"type": "api", "metadata": {"by": "ada"}}
    assert found.extra == {"extra": {"x": 1}, "error": False}
    assert found.created_us == START_US + 5_000_000
    assert (found.trace_id, found.project_id) == (None, None)
    store.write([created(2), created(1, 2)])
    [found] = store.find_feedback(FeedbackQuery(run_ids=[run(1)]))
    assert (found.trace_id, found.project_id) == (run(2), whole(store, 1).project_id)


@pytest.mark.parametrize("score", [0, 1, 0.25, -3, True, False, None])
def test_scores_come_back_as_what_they_were(store, score):
    store.write([said(11, score=score)])
    [found] = store.find_feedback(FeedbackQuery())
    assert (found.score, type(found.score)) == (score, type(score))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"key": None}, "key"),
        ({"score": "high"}, "score"),
        ({"run_id": "x"}, "run_id"),
        ({"feedback_source": 1}, "feedback_source"),
        ({"comment": ["no"]}, "comment"),
        ({"created_at": "yesterday"}, "time"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused_alone(store, fields, reason):
    bad = Feedback(run(12), {"key": "k", **fields})
    [rejection] = store.write([said(11), bad, created(1)])
    assert rejection.id == run(12)
    assert reason in rejection.reason
    assert len(store.find_feedback(FeedbackQuery())) == 1
    assert listed(store) == [1]


def test_the_same_feedback_again_replaces_it(store):
    store.write([said(11, score=1), said(11, score=2)])
    store.write([said(11, "other", score=3)])
    [found] = store.find_feedback(FeedbackQuery())
    assert (found.key, found.score) == ("other", 3)


def test_feedback_is_found_by_what_is_asked_and_changed_and_deleted(store):
    store.write([created(1), created(2, session_name="other")])
    [other] = store.find_projects(ProjectQuery(name="other"))
    store.write(
        [
            said(11, "a", 1, created_at=at(1), feedback_source={"type": "model"}),
            said(12, "b", 2, created_at=at(2)),
            said(13, "b", session_id=str(other.id), created_at=at(3)),
        ]
    )

    def found(**query):
        return [each.id.int - run(0).int for each in store.find_feedback(FeedbackQuery(**query))]

    assert found() == [13, 12, 11]
    assert found(keys=["b", "c"]) == [13, 12]
    assert found(run_ids=[run(1)]) == [11]
    assert found(sources=["model"]) == [11]
    assert found(project_ids=[other.id]) == [13, 12]
    assert found(limit=1, offset=1) == [12]
    assert store.update_feedback(run(12), {"score": 0.5, "modified_us": 7}) is True
    [changed] = store.find_feedback(FeedbackQuery(ids=[run(12)]))
    assert (changed.score, changed.modified_us, changed.key) == (0.5, 7, "b")
    assert store.update_feedback(run(99), {"score": 1}) is False
    assert store.delete_feedback(run(12)) is True
    assert store.delete_feedback(run(12)) is False
    assert found() == [13, 11]


def test_a_run_is_shared_by_one_token_until_it_is_not(store):
    share = store.share_run(run(2), run(1))
    assert store.share_run(run(2), run(1)) == share
    assert store.find_share(token=share.token) == share == store.find_share(run_id=run(2))
    assert store.find_share(token=run(5)) is None
    assert store.find_share(run_id=run(1)) is None
    assert store.unshare_run(run(2)) is True
    assert store.unshare_run(run(2)) is False
    assert store.find_share(token=share.token) is None
    assert store.share_run(run(2), run(1)).token != share.token


def test_settings_are_kept_by_kind_and_name(store):
    store.write_setting("a", "x", {"n": [1, None]})
    store.write_setting("a", "w", "text")
    store.write_setting("b", "x", 2)
    assert store.read_setting("a", "x") == {"n": [1, None]}
    assert store.list_settings("a") == {"w": "text", "x": {"n": [1, None]}}
    store.write_setting("a", "x", None)
    assert store.read_setting("a", "x") is None
    assert store.list_settings("b") == {"x": 2}
