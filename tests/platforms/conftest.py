"""Platforms that are big to install: run by `make platforms`, skipped where they are missing."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/platforms" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)
