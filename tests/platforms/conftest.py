"""Platforms that are big to install: run by `make platforms`, skipped where they are missing."""

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/platforms" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def pictures(tmp_path):
    """Where to put pictures: `make platforms PICTURES=docs/pictures` renews the documentation's."""
    return Path(os.environ.get("PICTURES") or tmp_path)
