"""What the environment says: read once, and again when asked."""

import pytest

import callboard
from callboard.environment import is_on, reload_environment

NAME = "CALLBOARD_TEST_VARIABLE"


@pytest.fixture(autouse=True)
def _read_again_afterwards(monkeypatch):
    reload_environment()
    yield
    monkeypatch.undo()
    reload_environment()


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "on", "anything", " "])
def test_a_variable_is_on_if_it_is_set_to_anything(value, monkeypatch):
    monkeypatch.setenv(NAME, value)
    assert is_on(NAME)


@pytest.mark.parametrize("value", ["", "0", "false", "False", "FALSE"])
def test_but_for_nothing_zero_and_false(value, monkeypatch):
    monkeypatch.setenv(NAME, value)
    assert not is_on(NAME)


def test_a_variable_that_is_not_set_is_off(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)
    assert not is_on(NAME)


def test_what_was_read_is_remembered_until_it_is_to_be_read_again(monkeypatch):
    monkeypatch.setenv(NAME, "true")
    assert is_on(NAME)
    monkeypatch.delenv(NAME)
    assert is_on(NAME)
    callboard.reload_environment()
    assert not is_on(NAME)


def test_a_variable_is_on_where_langchain_says_so(monkeypatch):
    from langchain_core.utils.env import env_var_is_set

    for value in ("", "0", "1", "true", "false", "False", "no"):
        monkeypatch.setenv(NAME, value)
        reload_environment()
        assert is_on(NAME) == env_var_is_set(NAME)
