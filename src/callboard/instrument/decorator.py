"""`traceable`: a decorator that makes each call of a function a run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    cast,
    overload,
)

from callboard.errors import BadOptionError
from callboard.instrument.functions import wrapped
from callboard.instrument.settings import (
    LangSmithExtra,
    Settings,
    handled_in,
    handlers_in,
    metadata_in,
)
from callboard.instrument.traced import Traced

if TYPE_CHECKING:
    from callboard.callbacks.base_manager import Callbacks

__all__ = ["TracedFunction", "is_traceable_function", "traceable"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

_MARK = "__callboard_traceable__"


class TracedFunction(Protocol[P, R_co]):
    """A function that also takes ``langsmith_extra``, and is otherwise as it was."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @overload
    def __call__(self, *args: Any, langsmith_extra: LangSmithExtra, **kwargs: Any) -> R_co: ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> Self: ...

    @overload
    def __get__(
        self: TracedFunction[Concatenate[Any, Q], R_co], instance: object, owner: type, /
    ) -> TracedFunction[Q, R_co]: ...


@overload
def traceable(function: Callable[P, R], /) -> TracedFunction[P, R]: ...


@overload
def traceable(
    run_type: str = "chain",
    /,
    *,
    name: str | None = None,
    tags: list[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    callbacks: Callbacks = None,
    client: Any = None,
    project_name: str | None = None,
    process_inputs: Callable[[dict[str, Any]], Any] | None = None,
    process_outputs: Callable[[Any], Any] | None = None,
    process_chunk: Callable[[Any], Any] | None = None,
    reduce_fn: Callable[[Sequence[Any]], Any] | None = None,
    enabled: bool | None = None,
    exceptions_to_handle: tuple[type[BaseException], ...] | None = None,
) -> Callable[[Callable[P, R]], TracedFunction[P, R]]: ...


@overload
def traceable(
    *,
    run_type: str = "chain",
    name: str | None = None,
    tags: list[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    callbacks: Callbacks = None,
    client: Any = None,
    project_name: str | None = None,
    process_inputs: Callable[[dict[str, Any]], Any] | None = None,
    process_outputs: Callable[[Any], Any] | None = None,
    process_chunk: Callable[[Any], Any] | None = None,
    reduce_fn: Callable[[Sequence[Any]], Any] | None = None,
    enabled: bool | None = None,
    exceptions_to_handle: tuple[type[BaseException], ...] | None = None,
) -> Callable[[Callable[P, R]], TracedFunction[P, R]]: ...


def traceable(
    function: Any = None,
    /,
    *,
    run_type: str = "chain",
    name: str | None = None,
    tags: list[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    callbacks: Callbacks = None,
    client: Any = None,
    project_name: str | None = None,
    process_inputs: Callable[[dict[str, Any]], Any] | None = None,
    process_outputs: Callable[[Any], Any] | None = None,
    process_chunk: Callable[[Any], Any] | None = None,
    reduce_fn: Callable[[Sequence[Any]], Any] | None = None,
    enabled: bool | None = None,
    exceptions_to_handle: tuple[type[BaseException], ...] | None = None,
) -> Any:
    """Make each call of a function a run: of a plain one, a coroutine or a generator.

    Handlers hear it as they hear a model, chain, tool or retriever. It is part of the run that
    surrounds the call, and what runs inside it is part of it. Where nobody listens, the
    function is called and no more. A coroutine's or generator's run starts when it does.

    Args:
        function: The function, or its run type.
        run_type: chain, llm, tool, retriever, embedding, prompt or parser.
        name: The run's name; the function's if not given.
        tags: Tags of the run, and of those inside it.
        metadata: Metadata of the run, and of those inside it.
        callbacks: Who hears the run and those inside it, besides who listens anyway.
        client: A ``langsmith.Client`` to send through, where the run is the root of a trace.
        project_name: The project, where the run is the root of a trace.
        process_inputs: Makes of the arguments, by name, what is recorded of them.
        process_outputs: Makes of what is returned what is recorded of it.
        process_chunk: Makes of each value that a generator yields what is recorded of it.
        reduce_fn: Makes of the list of all values that a generator yielded what is recorded
            as its output, instead of the list. Of more than 250,000 it is given the first.
        enabled: True to send runs whatever the environment says, False for no runs at all.
        exceptions_to_handle: Exceptions that are not recorded as failures; raised they are.

    Returns:
        The function, which also takes ``langsmith_extra``; or, without one, a decorator.

    Raises:
        BadOptionError: There is no such run type, what is decorated can't be called, or an
            exception to handle is none.
        BadTagsError: The tags are not a list of strings.
        BadMetadataError: The metadata is not a dictionary.
        BadCallbacksError: The callbacks are neither a list of handlers nor a manager.
        BadHandlerError: Something among them is no handler.
    """
    settings = Settings(
        name or "",
        function if isinstance(function, str) else run_type,
        tags=tags,
        metadata=metadata_in(metadata),
        handlers=handlers_in(callbacks),
        client=client,
        project_name=project_name,
        enabled=enabled,
        handled=handled_in(exceptions_to_handle),
    )
    settings.check()
    decorate = functools.partial(
        _decorated,
        settings=settings,
        process_inputs=process_inputs,
        process_outputs=process_outputs,
        process_chunk=process_chunk,
        reduce_fn=reduce_fn,
    )
    return decorate if function is None or isinstance(function, str) else decorate(function)


def _decorated(function: Any, *, settings: Settings, **options: Any) -> Any:
    if isinstance(function, classmethod | staticmethod):
        kind = type(cast("Any", function))
        return kind(_decorated(function.__func__, settings=settings, **options))
    if not callable(function):
        raise BadOptionError(f"traceable decorates functions, got {function!r}.")
    named = replace(settings, name=settings.name or _name_of(function))
    made = wrapped(function, Traced(function, named, **options))
    setattr(made, _MARK, True)
    return made


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def is_traceable_function(function: Any) -> bool:
    """Whether a function is decorated with `traceable`; a partial or a method of one is too.

    Args:
        function: Anything.
    """
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, _MARK, False) is True
