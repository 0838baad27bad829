"""The public names are langchain-core's, with its signatures, attributes and relations.

Compared with whichever langchain-core is installed. Where Callboard differs on purpose, the
difference has a row in `EXCEPTIONS`, with its reason; a row that no difference needs any more
fails, too.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

import callboard.callbacks

HOMES = {
    "AsyncCallbackHandler": "base",
    "AsyncCallbackManager": "manager",
    "AsyncCallbackManagerForChainGroup": "manager",
    "AsyncCallbackManagerForChainRun": "manager",
    "AsyncCallbackManagerForLLMRun": "manager",
    "AsyncCallbackManagerForRetrieverRun": "manager",
    "AsyncCallbackManagerForToolRun": "manager",
    "AsyncParentRunManager": "manager",
    "AsyncRunManager": "manager",
    "BaseCallbackHandler": "base",
    "BaseCallbackManager": "base",
    "BaseRunManager": "manager",
    "CallbackManager": "manager",
    "CallbackManagerForChainGroup": "manager",
    "CallbackManagerForChainRun": "manager",
    "CallbackManagerForLLMRun": "manager",
    "CallbackManagerForRetrieverRun": "manager",
    "CallbackManagerForToolRun": "manager",
    "CallbackManagerMixin": "base",
    "ChainManagerMixin": "base",
    "FileCallbackHandler": "file",
    "LLMManagerMixin": "base",
    "ParentRunManager": "manager",
    "RetrieverManagerMixin": "base",
    "RunManager": "manager",
    "RunManagerMixin": "base",
    "StdOutCallbackHandler": "stdout",
    "StreamingStdOutCallbackHandler": "streaming_stdout",
    "ToolManagerMixin": "base",
    "UsageMetadataCallbackHandler": "usage",
    "adispatch_custom_event": "manager",
    "ahandle_event": "manager",
    "atrace_as_chain_group": "manager",
    "dispatch_custom_event": "manager",
    "get_usage_metadata_callback": "usage",
    "handle_event": "manager",
    "shielded": "manager",
    "trace_as_chain_group": "manager",
}
"""Every name of the API reference, and the module of ``callbacks`` where it is."""

PAIRS = {
    name: tuple(
        getattr(import_module(f"{package}.callbacks.{home}"), name)
        for package in ("langchain_core", "callboard")
    )
    for name, home in HOMES.items()
}
"""Each name in langchain-core, and in Callboard."""

CLASSES = sorted(name for name, (theirs, _) in PAIRS.items() if inspect.isclass(theirs))
FUNCTIONS = sorted(set(PAIRS) - set(CLASSES))

PLAIN_FLAG = (
    "a plain attribute, which subclasses may still override with a property: it is read for "
    "every event, and a handler may set its own"
)
INHERITED_NO_OP = (
    "the inherited no-op, which dispatch knows and skips; theirs overrides it by one that does "
    "nothing either, and could be called directly without the run's id"
)
SHARED_BY_COPIES = "a property, so that the copies of a group's manager share its end"

EXCEPTIONS = {
    **{
        f"{name}.{flag}": PLAIN_FLAG
        for name, (theirs, _) in PAIRS.items()
        for flag in dir(theirs)
        if flag.startswith("ignore_")
    },
    **{
        f"StreamingStdOutCallbackHandler.{event}": INHERITED_NO_OP
        for event in (
            "on_agent_action",
            "on_agent_finish",
            "on_chain_end",
            "on_chain_error",
            "on_chain_start",
            "on_chat_model_start",
            "on_llm_end",
            "on_llm_error",
            "on_llm_start",
            "on_text",
            "on_tool_end",
            "on_tool_error",
            "on_tool_start",
        )
    },
    "AsyncCallbackManagerForChainGroup.ended": SHARED_BY_COPIES,
    "CallbackManagerForChainGroup.ended": SHARED_BY_COPIES,
}
"""``Class.attribute`` where Callboard differs, and why."""

_RUN_ID = UUID(int=1)
_PARENT_ID = UUID(int=2)
_LABELS = {
    "tags": ["a"],
    "inheritable_tags": ["b"],
    "metadata": {"c": 1},
    "inheritable_metadata": {"d": 2},
}


def _public(owner: object) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_")]


MEMBERS = [
    (name, attribute)
    for name in CLASSES
    for attribute in (*_public(PAIRS[name][0]), "__init__")
    if attribute != "__init__" or PAIRS[name][0].__init__ is not object.__init__
]


def parameters(function: Callable[..., Any]) -> list[tuple[str, str, Any]]:
    """Return the names, kinds and defaults of a function's parameters."""
    return [
        (each.name, each.kind.description, each.default)
        for each in inspect.signature(function).parameters.values()
    ]


def nature(owner: type, attribute: str) -> str:
    """Tell what an attribute is, without calling it."""
    value = inspect.getattr_static(owner, attribute)
    return "function" if inspect.isfunction(value) else type(value).__name__


@pytest.mark.parametrize("name", sorted(HOMES))
def test_every_name_is_where_the_reference_has_it(name):
    _, ours = PAIRS[name]
    assert getattr(callboard.callbacks, name) is ours
    assert name in callboard.callbacks.__all__
    assert name in import_module(f"callboard.callbacks.{HOMES[name]}").__all__


@pytest.mark.parametrize("home", ["base", "manager"])
def test_callbacks_are_a_list_of_handlers_or_a_manager_or_none(home):
    for package, index in (("langchain_core", 0), ("callboard", 1)):
        accepted = typing.get_args(import_module(f"{package}.callbacks.{home}").Callbacks)
        handler, manager = PAIRS["BaseCallbackHandler"], PAIRS["BaseCallbackManager"]
        assert set(accepted) == {list[handler[index]], manager[index], type(None)}


def test_callbacks_is_exported_with_the_rest():
    assert callboard.callbacks.Callbacks is import_module("callboard.callbacks.base").Callbacks


def test_whatever_their_package_exports_ours_does_too():
    theirs = set(import_module("langchain_core.callbacks").__all__)
    assert theirs <= set(callboard.callbacks.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_the_same(name):
    theirs, ours = PAIRS[name]
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize(("name", "attribute"), MEMBERS)
def test_members_are_of_the_same_nature_and_take_the_same(name, attribute):
    differences = list(_differences_of(name, attribute))
    assert bool(differences) == (f"{name}.{attribute}" in EXCEPTIONS), differences


def _differences_of(name: str, attribute: str) -> Iterator[str]:
    theirs, ours = PAIRS[name]
    if not hasattr(ours, attribute):
        yield "it is missing"
        return
    natures = nature(theirs, attribute), nature(ours, attribute)
    if natures[0] != natures[1]:
        yield "theirs is a {}, ours a {}".format(*natures)
    given = getattr(theirs, attribute), getattr(ours, attribute)
    if callable(given[0]) and parameters(given[0]) != parameters(given[1]):
        yield f"theirs takes {parameters(given[0])}, ours {parameters(given[1])}"
    if natures[0] not in ("function", "method", "classmethod", "property") and given[0] != given[1]:
        yield f"theirs is {given[0]!r}, ours {given[1]!r}"


@pytest.mark.parametrize("name", CLASSES)
def test_ours_have_no_public_attribute_more(name):
    theirs, ours = PAIRS[name]
    more = {f"{name}.{attribute}" for attribute in set(_public(ours)) - set(_public(theirs))}
    assert more <= set(EXCEPTIONS)


def test_exceptions_are_of_members_that_exist():
    for excepted in EXCEPTIONS:
        name, attribute = excepted.split(".")
        assert hasattr(PAIRS[name][1], attribute)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_derive_from_the_same(name):
    for other in CLASSES:
        theirs = issubclass(PAIRS[name][0], PAIRS[other][0])
        assert issubclass(PAIRS[name][1], PAIRS[other][1]) == theirs, other


def _made(name: str, index: int, tmp_path: Any, *, bare: bool = False) -> Any:
    """Make an object of a class of theirs (0) or ours (1), with all arguments or the least."""
    kind = PAIRS[name][index]
    handler, other = PAIRS["BaseCallbackHandler"][index](), PAIRS["StdOutCallbackHandler"][index]()
    labels = {} if bare else _LABELS
    if name == "FileCallbackHandler":
        made = kind(str(tmp_path / f"{index}.txt"), "w", "red")
        made.close()
        return made
    if name == "StdOutCallbackHandler":
        return kind() if bare else kind("red")
    if "ForChainGroup" in name:
        run = _made(name.replace("Group", "Run"), index, tmp_path)
        return kind([handler], [other], _PARENT_ID, parent_run_manager=run, **labels)
    if issubclass(kind, PAIRS["BaseRunManager"][index]):
        if inspect.isabstract(kind):
            kind = type(kind.__name__, (kind,), {"get_sync": lambda self: None})
        parent = {} if bare else {"parent_run_id": _PARENT_ID}
        return kind(
            run_id=_RUN_ID, handlers=[handler], inheritable_handlers=[other], **parent, **labels
        )
    if issubclass(kind, PAIRS["BaseCallbackManager"][index]):
        return kind([handler]) if bare else kind([handler], [other], _PARENT_ID, **labels)
    return kind()


def _described(value: Any) -> Any:
    """Describe a value so that theirs and ours compare equal: handlers and runs by class."""
    if isinstance(value, list):
        return [_described(item) for item in value]
    return type(value).__name__ if type(value).__name__ in HOMES else value


@pytest.mark.parametrize("bare", [False, True], ids=["with everything", "with the least"])
@pytest.mark.parametrize("name", CLASSES)
def test_objects_have_the_same_attributes(name, bare, tmp_path):
    theirs, ours = (_made(name, index, tmp_path, bare=bare) for index in (0, 1))
    for attribute in _public(theirs):
        value = getattr(theirs, attribute)
        if attribute in ("filename", "file") or (callable(value) and attribute in dir(type(value))):
            assert hasattr(ours, attribute)
        elif callable(value):
            assert callable(getattr(ours, attribute)), attribute
        else:
            assert _described(getattr(ours, attribute)) == _described(value), attribute


def _called(method: Callable[..., Any]) -> Any:
    """Call a method with as many arguments as it requires."""
    required = [
        each
        for each in inspect.signature(method).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    ]
    args = [{} for each in required if each.kind is each.POSITIONAL_OR_KEYWORD]
    kwargs = {each.name: _RUN_ID for each in required if each.kind is each.KEYWORD_ONLY}
    return method(*args, **kwargs)


@pytest.mark.parametrize("name", CLASSES)
async def test_the_same_methods_are_to_be_awaited(name, tmp_path):
    theirs, ours = (_made(name, index, tmp_path) for index in (0, 1))
    ours.handlers = []
    ours._write = lambda text: None
    for attribute, method in inspect.getmembers(theirs, inspect.ismethod):
        if not attribute.startswith("on_"):
            continue
        try:
            answer = _called(getattr(ours, attribute))
            assert inspect.isawaitable(answer) == inspect.iscoroutinefunction(method), attribute
            if inspect.isawaitable(answer):
                await answer
        except NotImplementedError:
            assert attribute == "on_chat_model_start"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_functions_are_to_be_awaited(name):
    theirs, ours = PAIRS[name]
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)
