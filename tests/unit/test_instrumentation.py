"""What others hook into: how managers are made, and the function that configures them."""

import pytest

from callboard.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager, manager
from callboard.callbacks.base import BaseCallbackManager
from callboard.testing import RecordingHandler


class Tracer(BaseCallbackHandler):
    pass


@pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])
def test_a_wrapped_constructor_sees_every_manager_that_is_configured(kind, monkeypatch):
    """OpenInference, and others after it, add their tracer like this."""
    tracer, original = Tracer(), BaseCallbackManager.__init__

    def wrapped(self, *args, **kwargs):
        original(self, *args, **kwargs)
        if tracer not in self.inheritable_handlers:
            self.add_handler(tracer, inherit=True)

    monkeypatch.setattr(BaseCallbackManager, "__init__", wrapped)
    assert kind.configure().handlers == [tracer]
    recorder = RecordingHandler()
    assert kind.configure([recorder]).inheritable_handlers == [recorder, tracer]
    assert kind.configure(kind([recorder])).handlers == [recorder, tracer]


def test_a_wrapped_constructor_sees_the_managers_of_children(monkeypatch):
    seen, original = [], BaseCallbackManager.__init__
    run = CallbackManager([]).on_chain_start({}, {})

    def wrapped(self, *args, **kwargs):
        original(self, *args, **kwargs)
        seen.append(self)

    monkeypatch.setattr(BaseCallbackManager, "__init__", wrapped)
    child = run.get_child("tag")
    assert seen == [child]
    assert (child.parent_run_id, child.tags) == (run.run_id, ["tag"])


def test_a_subclass_with_a_constructor_of_its_own_is_made_by_it():
    class Mine(CallbackManager):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mine = True

    configured = Mine.configure([RecordingHandler()], inheritable_tags=["t"])
    assert (type(configured), configured.mine, configured.tags) == (Mine, True, ["t"])


@pytest.mark.parametrize("kind", [CallbackManager, AsyncCallbackManager])
def test_a_replaced_configure_function_is_the_one_that_configures(kind, monkeypatch):
    """Sentry adds its handler like this."""
    original, handler = manager._configure, Tracer()

    def replaced(callback_manager_cls, inheritable_callbacks=None, *args, **kwargs):
        handlers = [*(inheritable_callbacks or ()), handler]
        return original(callback_manager_cls, handlers, *args, **kwargs)

    monkeypatch.setattr(manager, "_configure", replaced)
    assert kind.configure().handlers == [handler]
    assert kind.configure(inheritable_tags=["t"]).tags == ["t"]
