"""Every name that langchain-core's tracers define is where it is there, in what stands for them.

What others import from these modules, private names too, is in both doors: Callboard's own, and
what is put in the original's place.
"""

import inspect
import types
from importlib import import_module

import pytest

from callboard.langchain.installation import IN_PLACE_OF

MODULES = sorted(name for name in IN_PLACE_OF if name.startswith("langchain_core.tracers."))

NOT_OFFERED = {
    "TYPE_CHECKING": "the typing module's",
    "T": "a type variable",
    "_LOGGED": "what has been logged, which is nobody's business",
    "_EXECUTOR": "kept where it is made",
    "_RUN_IS_PYDANTIC_V2": "how the original asks what its runs are",
    "_GATEWAY_RUN_METADATA_KEY": "in callboard.tracing.gateway",
    "_extract_gateway_metadata": "in callboard.tracing.gateway",
    "GATEWAY_METADATA_RESPONSE_KEY": "langchain_core.utils._gateway has it",
    "_assign_name": "the original's way to name what streams",
}
"""Names that only the original's own modules use, each with what became of it."""


def defined_in(module):
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("__")
        and not isinstance(value, types.ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


@pytest.mark.parametrize("theirs", MODULES)
def test_both_doors_have_what_the_original_defines(theirs):
    leaf = theirs.rpartition(".")[2]
    for ours in (IN_PLACE_OF[theirs], f"callboard.tracers.{leaf}"):
        missing = {
            name
            for name in defined_in(import_module(theirs)) - NOT_OFFERED.keys()
            if not hasattr(import_module(ours), name)
        }
        assert not missing, ours


def test_what_is_not_offered_is_there_in_the_original():
    defined = set().union(*(defined_in(import_module(name)) for name in MODULES))
    assert NOT_OFFERED.keys() <= defined


def test_the_packages_announce_the_same_names():
    theirs = import_module("langchain_core.tracers")
    ours = import_module(IN_PLACE_OF["langchain_core.tracers"])
    assert set(ours.__all__) == set(theirs.__all__) == set(dir(ours))


@pytest.mark.parametrize(
    ("home", "name"),
    [
        ("base", "BaseTracer"),
        ("context", "tracing_v2_enabled"),
        ("context", "_get_tracer_kwargs"),
        ("context", "register_configure_hook"),
        ("evaluation", "EvaluatorCallbackHandler"),
        ("langchain", "LangChainTracer"),
        ("root_listeners", "RootListenersTracer"),
        ("run_collector", "RunCollectorCallbackHandler"),
        ("stdout", "ConsoleCallbackHandler"),
        ("stdout", "elapsed"),
    ],
)
def test_they_take_the_same(home, name):
    theirs = getattr(import_module(f"langchain_core.tracers.{home}"), name)
    ours = getattr(import_module(IN_PLACE_OF[f"langchain_core.tracers.{home}"]), name)
    taken = inspect.signature(ours).parameters
    if "args" in taken:  # And all that what it derives from takes.
        taken = {**taken, **inspect.signature(ours.__mro__[1]).parameters}
    assert [each for each in inspect.signature(theirs).parameters if each not in taken] == []
