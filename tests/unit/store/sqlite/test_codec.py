"""Payloads are kept small, and are read whatever dictionary they need."""

import pytest

from callboard.store.sqlite import SqliteStore, writing
from callboard.store.sqlite.codec import PLAIN, RAW, Trainer
from tests.contract.stores.made import created, whole


def text(number):
    return (
        f"You are a helpful assistant of the company. Question {number}: "
        + f"what is {number}? " * 20
    )


@pytest.fixture
def eager(monkeypatch):
    """Stores that train on few payloads, and once more soon."""
    monkeypatch.setattr(writing, "MANY_RUNS", 45)
    monkeypatch.setattr(writing, "Trainer", lambda: Trainer(samples=40))


def codings(store):
    rows = store._connections.writer.execute("SELECT DISTINCT coding FROM payloads ORDER BY coding")
    return [coding for (coding,) in rows]


def test_small_payloads_are_kept_as_they_are_and_others_compressed(tmp_path):
    store = SqliteStore.open(tmp_path / "board.db")
    store.write([created(1, inputs={"a": 1}, outputs={"text": text(1)})])
    assert codings(store) == [RAW, PLAIN]
    assert whole(store, 1).payloads["inputs"] == b'{"a":1}'
    assert text(1) in whole(store, 1).payloads["outputs"].decode()
    store.close()


def test_a_dictionary_is_trained_and_what_was_kept_before_and_after_is_read(tmp_path, eager):
    for first in (1, 100, 200):  # The second time another one is trained, and never again.
        store = SqliteStore.open(tmp_path / "board.db")
        store.write([created(n, inputs={"text": text(n)}) for n in range(first, first + 45)])
        store._writer._trainer.close()
        store.write([created(first + 50, inputs={"text": text(first + 50)})])
        store.write([created(first + 51, inputs={"text": text(first + 51)})])
        store.close()
    store = SqliteStore.open(tmp_path / "board.db")
    assert codings(store) == [PLAIN, 2, 3]
    for number in (1, 44, 51, 52, 100, 150, 151, 251):
        assert text(number) in whole(store, number).payloads["inputs"].decode()
    store.close()


def test_a_write_that_fails_after_training_leaves_nothing_that_needs_the_dictionary(
    tmp_path, eager, monkeypatch
):
    store = SqliteStore.open(tmp_path / "board.db")
    store.write([created(n, inputs={"text": text(n)}) for n in range(1, 46)])
    store._writer._trainer.close()
    monkeypatch.setattr(writing.RunWriter, "train", _train_and_fail(writing.RunWriter.train))
    with pytest.raises(RuntimeError):
        store.write([created(50)])
    monkeypatch.undo()
    store.write([created(51, inputs={"text": text(51)})])
    assert text(51) in whole(store, 51).payloads["inputs"].decode()
    store.close()


def _train_and_fail(train):
    def fail(writer):
        train(writer)
        raise RuntimeError

    return fail
