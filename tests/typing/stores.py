"""Every store is one, as the checkers see it."""

from callboard.export.sinks.base import Sink
from callboard.prices import PriceList, PriceTable
from callboard.store.base import Store
from callboard.store.local import StoreSink
from callboard.store.sqlite import SqliteStore


def sqlite(store: SqliteStore) -> Store:
    return store


def sink(made: StoreSink) -> Sink:
    return made


def prices(table: PriceTable) -> PriceList:
    return table
