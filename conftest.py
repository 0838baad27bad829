"""Makes the documents tests: the python blocks of README.md and docs/*.md are executed.

The blocks of one document share a namespace and run in the order in which they are written.
One that can't run here says so, and why, in a comment above it::

    <!-- skip: next "needs an API key" -->
"""

from typing import Any

import pytest
from sybil import Sybil
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from callboard.callbacks.surroundings import surround_with, surroundings


def _remember(namespace: dict[str, Any]) -> None:
    namespace["_surroundings"] = surroundings()


def _give_back(namespace: dict[str, Any]) -> None:
    """Let no tracing that a document turns on surround the tests after it on the same worker."""
    surround_with(namespace["_surroundings"])


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=_remember,
    teardown=_give_back,
).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the documents after the tests, each in its order: chance has no say in those."""
    tests = [item for item in items if not isinstance(item, SybilItem)]
    blocks = [item for item in items if isinstance(item, SybilItem)]
    blocks.sort(key=lambda block: (block.path, block.example.line))
    items[:] = [*tests, *blocks]
