"""Platforms that are big to install: run by `make platforms`, skipped where they are missing."""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--pictures", type=Path, help="where tests put the pictures that they take")


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/platforms" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def pictures(request, tmp_path):
    """Where to put pictures: `--pictures docs/pictures` renews those in the documentation."""
    place = request.config.getoption("--pictures") or tmp_path
    place.mkdir(exist_ok=True)
    return place
