"""Values that raise when they are looked at: a traced function takes and returns them as ever."""

import gc

import pytest

from callboard.errors import BadMetadataError, BadOptionError
from callboard.instrument import trace, traceable

RUN_TYPES = ["chain", "llm", "tool", "retriever", "embedding"]


class Detached:
    """As an object of a database that has been closed."""

    def __getattr__(self, name):
        raise RuntimeError(f"{name} can't be loaded")


class Unread(list):
    def __bool__(self):
        raise RuntimeError("not yet")

    def __len__(self):
        raise RuntimeError("not yet")

    def __iter__(self):
        raise RuntimeError("not yet")


class Closed(dict):
    def get(self, *_):
        raise RuntimeError("closed")

    def items(self):
        raise RuntimeError("closed")


class Shy:
    @property
    def __class__(self):
        raise RuntimeError("none of your business")


KINDS = [Detached, Unread, Closed, Shy]


@pytest.mark.parametrize("run_type", RUN_TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_raises_when_it_is_looked_at_is_taken_and_returned(kept, run_type, kind):
    value = kind()

    @traceable(run_type=run_type, callbacks=[kept])
    def ask(messages):
        return messages

    @traceable(run_type=run_type, callbacks=[kept])
    def ask_one(query):
        return {"output": query}

    @traceable(run_type=run_type, callbacks=[kept])
    def stream(query):
        yield query

    assert ask(value) is value
    assert ask([value])[0] is value
    assert ask_one(value)["output"] is value
    assert next(stream(value)) is value
    gc.collect()
    assert [run.error for run in kept.traces] == [None] * 4


@pytest.mark.parametrize("run_type", RUN_TYPES)
async def test_the_same_holds_in_async_code(kept, run_type):
    @traceable(run_type=run_type, callbacks=[kept])
    async def ask(messages):
        return messages

    for value in [kind() for kind in KINDS]:
        assert await ask(value) is value
    assert len(kept.traces) == len(KINDS)


@pytest.mark.parametrize("wrong", [5, "ValueError", ("ValueError",), [object]])
def test_what_is_no_exception_can_not_be_handled_and_is_refused_at_once(wrong):
    for tell in (traceable, lambda **options: trace("block", **options)):
        with pytest.raises(BadOptionError, match="exceptions_to_handle is"):
            tell(exceptions_to_handle=wrong)


def test_an_exception_to_handle_may_stand_alone(kept):
    @traceable(callbacks=[kept], exceptions_to_handle=KeyError)
    def find():
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        find()
    assert kept.traces[0].error is None


def test_metadata_and_run_types_of_other_kinds_are_refused_at_once():
    for tell in (traceable, lambda **options: trace("block", **options)):
        with pytest.raises(BadMetadataError):
            tell(metadata=[1])
        with pytest.raises(BadOptionError, match="Unknown run type"):
            tell(run_type=["chain"])
