"""Handlers in a runnable's config: beside those that are there, for the call and all inside it."""

import pytest

from callboard.callbacks import BaseCallbackHandler, CallbackManager
from callboard.errors import BadCallbacksError
from callboard.langchain.streams import config_with

FIRST, ADDED = BaseCallbackHandler(), BaseCallbackHandler()


@pytest.mark.parametrize(
    ("config", "handlers"), [(None, [ADDED]), ({"callbacks": [FIRST]}, [FIRST, ADDED])]
)
def test_it_is_put_after_those_of_a_list(config, handlers):
    assert config_with(config, ADDED)["callbacks"] == handlers


def test_it_is_put_into_a_copy_of_a_manager():
    manager = CallbackManager([FIRST])
    made = config_with({"callbacks": manager}, ADDED)["callbacks"]
    assert (made.handlers, made.inheritable_handlers) == ([FIRST, ADDED], [ADDED])
    assert manager.handlers == [FIRST]


def test_callbacks_that_are_none_are_refused():
    with pytest.raises(BadCallbacksError, match=r"must be a list of handlers.*not 3\."):
        config_with({"callbacks": 3}, ADDED)
