"""Every way to call a runnable, with what is heard and traced of it printed."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import count
from typing import Any

from hearing import Inline, InTasks, event_line, listed, plain, report
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler

Programs = Mapping[str, tuple[Callable[[], Any], Any]]
"""What makes a runnable, and what it is given, by name."""

ONE_BY_ONE = {"max_concurrency": 1}
threads = count(1)


def two(given: Any) -> list[Any]:
    """Return what is given, and something else of its kind, for calls side by side."""
    other = given * 2 if isinstance(given, str) else given + 10 if isinstance(given, int) else given
    return [copy.deepcopy(each) for each in (given, other)]


async def piece(given: Any) -> Any:
    yield given


def op_line(patch: Any) -> list[str]:
    # How the output grows depends on which of its parts is there first.
    return [plain(op["path"]) for op in patch.ops if not op["path"].startswith("/final_output/")]


# What comes in no order of its own is sorted; of events, data depends on who was quicker.

SYNC: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda made, given, config: made.invoke(given, config),
    "stream": lambda made, given, config: sorted(map(plain, made.stream(given, config))),
    "transform": lambda made, given, config: sorted(
        map(plain, made.transform(iter([given]), config))
    ),
    "batch": lambda made, given, config: made.batch(
        two(given), {**config, **ONE_BY_ONE}, return_exceptions=True
    ),
    "batch_as_completed": lambda made, given, config: sorted(
        map(
            plain,
            made.batch_as_completed(two(given), {**config, **ONE_BY_ONE}, return_exceptions=True),
        )
    ),
}


async def astream(made: Any, given: Any, config: Any) -> Any:
    return sorted(map(plain, await listed(made.astream(given, config))))


async def atransform(made: Any, given: Any, config: Any) -> Any:
    return sorted(map(plain, await listed(made.atransform(piece(given), config))))


async def abatch_as_completed(made: Any, given: Any, config: Any) -> Any:
    results = made.abatch_as_completed(two(given), {**config, **ONE_BY_ONE}, return_exceptions=True)
    return sorted(map(plain, await listed(results)))


async def events_v1(made: Any, given: Any, config: Any) -> Any:
    events = made.astream_events(given, config, version="v1")
    return sorted(map(event_line, await listed(events)))


async def events_v2(made: Any, given: Any, config: Any) -> Any:
    events = made.astream_events(given, config, version="v2")
    return sorted(map(event_line, await listed(events)))


async def log(made: Any, given: Any, config: Any) -> Any:
    return sorted(map(op_line, await listed(made.astream_log(given, config))))


ASYNC: dict[str, Callable[[Any, Any, Any], Awaitable[Any]]] = {
    "ainvoke": lambda made, given, config: made.ainvoke(given, config),
    "astream": astream,
    "atransform": atransform,
    "abatch": lambda made, given, config: made.abatch(
        two(given), {**config, **ONE_BY_ONE}, return_exceptions=True
    ),
    "abatch_as_completed": abatch_as_completed,
    "astream_events v1": events_v1,
    "astream_events v2": events_v2,
    "astream_log": log,
}


def asked(*callbacks: Any) -> dict[str, Any]:
    """Return a config with all that is handed down."""
    return {
        "callbacks": list(callbacks),
        "tags": ["outer"],
        "metadata": {"user": "u"},
        "configurable": {"thread_id": f"thread-{next(threads)}"},
    }


def raised(error: BaseException) -> str:
    return f"raised {type(error).__name__}: {plain(str(error))[:150]}"


def call(title: str, way: Callable[[Any, Any, Any], Any], made: Any, given: Any) -> None:
    """Call a runnable one way, and print what it returns and what is told of it."""
    heard, collected = Inline(), RunCollectorCallbackHandler()
    try:
        outcome = plain(way(made, copy.deepcopy(given), asked(heard, collected)))
    except BaseException as error:  # noqa: BLE001 - an exit, too
        outcome = raised(error)
    print("##", title, outcome)
    report(title, heard, collected)


async def acall(
    title: str, way: Callable[[Any, Any, Any], Awaitable[Any]], made: Any, given: Any
) -> None:
    """Call a runnable one way in async code."""
    heard, collected = InTasks(), RunCollectorCallbackHandler()
    try:
        outcome = plain(await way(made, copy.deepcopy(given), asked(heard, collected)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        outcome = raised(error)
    print("##", title, outcome)
    report(title, heard, collected)


def call_all(programs: Programs, ways: Collection[str]) -> None:
    """Call each runnable, made anew for each call, in each of some ways."""
    for name, (make, given) in programs.items():
        for way in ways:
            title = f"{name}: {way}"
            if way in SYNC:
                call(title, SYNC[way], make(), given)
            else:
                asyncio.run(acall(title, ASYNC[way], make(), given))
