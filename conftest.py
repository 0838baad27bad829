"""Makes the documents tests: the python blocks of README.md and docs/*.md are executed.

The blocks of one document share a namespace and run in the order in which they are written.
One that can't run here says so, and why, in a comment above it::

    <!-- skip: next "needs an API key" -->
"""

import pytest
from sybil import Sybil
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
).pytest()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the documents after the tests, each in its order: chance has no say in those."""
    tests = [item for item in items if not isinstance(item, SybilItem)]
    blocks = [item for item in items if isinstance(item, SybilItem)]
    blocks.sort(key=lambda block: (block.path, block.example.line))
    items[:] = [*tests, *blocks]
