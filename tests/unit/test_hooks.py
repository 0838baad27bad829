"""Configure hooks: context variables and environment variables that bring handlers along."""

from contextvars import ContextVar, copy_context
from functools import partial
from threading import Thread

import pytest

from callboard import reload_environment
from callboard.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    hooks,
    register_configure_hook,
)

both_kinds = pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])


class Hooked(BaseCallbackHandler):
    pass


@pytest.fixture(autouse=True)
def _hooks_of_this_test_only(monkeypatch):
    # Hooks are registered for good: what a test registers must not reach the next.
    monkeypatch.setattr(hooks, "_hooks", [])


@pytest.fixture
def variable():
    return ContextVar("test_hook", default=None)


@pytest.fixture
def environment(monkeypatch):
    """Set and unset environment variables, and have them read again."""

    def set_to(name, value):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
        reload_environment()

    yield set_to
    monkeypatch.undo()
    reload_environment()


@both_kinds
def test_a_hooks_handler_joins_while_the_variable_holds_it(kind, variable):
    register_configure_hook(variable, inheritable=True)
    handler = Hooked()
    assert kind.configure().handlers == []
    token = variable.set(handler)
    manager = kind.configure()
    assert (manager.handlers, manager.inheritable_handlers) == ([handler], [handler])
    variable.reset(token)
    assert kind.configure().handlers == []


@both_kinds
def test_a_hook_that_is_not_inheritable_hears_the_call_alone(kind, variable):
    register_configure_hook(variable, inheritable=False)
    variable.set(Hooked())
    manager = kind.configure()
    assert len(manager.handlers) == 1
    assert manager.inheritable_handlers == []


@both_kinds
def test_a_variable_without_a_default_holds_nothing_until_it_is_set(kind):
    variable = ContextVar("test_hook_without_default")
    register_configure_hook(variable, inheritable=True)
    assert kind.configure().handlers == []
    variable.set(Hooked())
    assert len(kind.configure().handlers) == 1


@both_kinds
def test_a_variables_default_joins_too(kind):
    handler = Hooked()
    register_configure_hook(ContextVar("test_hook_with_default", default=handler), inheritable=True)
    assert kind.configure().handlers == [handler]


@both_kinds
def test_a_handler_that_is_there_is_not_added_again(kind, variable):
    register_configure_hook(variable, inheritable=True)
    handler = Hooked()
    variable.set(handler)
    assert kind.configure([handler]).handlers == [handler]


@both_kinds
def test_without_a_class_another_handler_of_the_same_class_joins(kind, variable):
    register_configure_hook(variable, inheritable=True)
    variable.set(Hooked())
    assert len(kind.configure([Hooked()]).handlers) == 2


@both_kinds
def test_with_a_class_one_handler_of_it_is_enough(kind, variable):
    register_configure_hook(variable, inheritable=True, handle_class=Hooked)
    variable.set(Hooked())
    present = type("Derived", (Hooked,), {})()
    assert kind.configure([present]).handlers == [present]
    assert len(kind.configure([BaseCallbackHandler()]).handlers) == 2


@both_kinds
def test_a_variable_may_hold_several_handlers(kind, variable):
    register_configure_hook(variable, inheritable=True)
    first, second = Hooked(), Hooked()
    variable.set((first, second))
    assert kind.configure([second]).handlers == [second, first]


@both_kinds
@pytest.mark.parametrize("handle_class", [None, Hooked])
def test_a_variable_may_hold_no_handlers_at_all(kind, variable, handle_class):
    register_configure_hook(variable, inheritable=True, handle_class=handle_class)
    variable.set(())
    assert kind.configure().handlers == []


@both_kinds
@pytest.mark.parametrize("value", ["true", "1", "yes", "TRUE"])
def test_an_environment_variable_that_is_on_makes_a_handler_for_each_manager(
    kind, variable, environment, value
):
    register_configure_hook(variable, True, Hooked, "CALLBOARD_TEST_HOOK")
    environment("CALLBOARD_TEST_HOOK", value)
    (one,) = kind.configure().handlers
    (two,) = kind.configure().handlers
    assert type(one) is type(two) is Hooked
    assert one is not two


@both_kinds
@pytest.mark.parametrize("value", [None, "", "0", "false", "False"])
def test_an_environment_variable_that_is_off_makes_none(kind, variable, environment, value):
    register_configure_hook(variable, True, Hooked, "CALLBOARD_TEST_HOOK")
    environment("CALLBOARD_TEST_HOOK", value)
    assert kind.configure().handlers == []


def test_what_the_variable_holds_comes_before_what_the_environment_would_make(
    variable, environment
):
    register_configure_hook(variable, True, Hooked, "CALLBOARD_TEST_HOOK")
    environment("CALLBOARD_TEST_HOOK", "true")
    handler = Hooked()
    variable.set(handler)
    assert CallbackManager.configure().handlers == [handler]


def test_the_environment_is_read_once_and_again_when_asked(variable, environment, monkeypatch):
    register_configure_hook(variable, True, Hooked, "CALLBOARD_TEST_HOOK")
    environment("CALLBOARD_TEST_HOOK", None)
    assert CallbackManager.configure().handlers == []
    monkeypatch.setenv("CALLBOARD_TEST_HOOK", "true")
    assert CallbackManager.configure().handlers == []
    reload_environment()
    assert len(CallbackManager.configure().handlers) == 1
    monkeypatch.setenv("CALLBOARD_TEST_HOOK", "false")
    assert len(CallbackManager.configure().handlers) == 1
    reload_environment()
    assert CallbackManager.configure().handlers == []


def test_hooks_join_in_the_order_in_which_they_were_registered(variable):
    other = ContextVar("test_other_hook", default=None)
    register_configure_hook(other, inheritable=True)
    register_configure_hook(variable, inheritable=True)
    first, second = Hooked(), Hooked()
    variable.set(second)
    other.set(first)
    assert CallbackManager.configure().handlers == [first, second]


def test_a_hooks_variable_belongs_to_its_context(variable):
    register_configure_hook(variable, inheritable=True)
    variable.set(Hooked())
    found = []

    def look():
        found.append(len(CallbackManager.configure().handlers))

    for target in (look, partial(copy_context().run, look)):
        thread = Thread(target=target)
        thread.start()
        thread.join()
    assert found == [0, 1]
