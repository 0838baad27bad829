"""The stores that are held to the law, each made empty for a test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from callboard.store.base import Store
from callboard.store.sqlite import SqliteStore

STORES: Mapping[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore.open(folder / "board.db"),
}

# What a store does not do, and why: by the store's name and the test's.
OPTED_OUT: Mapping[tuple[str, str], str] = {}


@pytest.fixture(params=list(STORES))
def make_store(request, tmp_path) -> Iterator[Callable[[], Store]]:
    """Make stores, each with nothing in it; they are closed after the test."""
    name, test = request.param, request.node.originalname
    if (name, test) in OPTED_OUT:
        pytest.skip(OPTED_OUT[name, test])
    made: list[Store] = []

    def make() -> Store:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(STORES[name](folder))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store):
    return make_store()
