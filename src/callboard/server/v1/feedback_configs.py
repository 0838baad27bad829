"""Feedback configurations: how the feedback of a key is to be read. One a key, here.

They tell clients how to show scores; feedback is taken whether it fits or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callboard import ids
from callboard.clock import now_us
from callboard.server.answers import answer, no_content
from callboard.server.arguments import Arguments
from callboard.server.board import Board, board_of
from callboard.server.bodies import read_object
from callboard.server.columns import moment_shown
from callboard.server.faults import Invalid, Missing
from callboard.store.base import Store
from callboard.wire.orders import shown

__all__ = ["ROUTES"]

_KIND = "feedback_config"
_TYPES = ("continuous", "categorical", "freeform")
MAX_PAGE = 100
FEWEST_CATEGORIES = 2


def _shown(key: str, kept: dict[str, Any], board: Board) -> dict[str, Any]:
    return {
        "id": kept["id"],
        "feedback_key": key,
        "feedback_config": kept["config"],
        "tenant_id": str(board.tenant_id),
        "modified_at": moment_shown(kept["modified_us"]),
        "is_lower_score_better": kept["is_lower_score_better"],
        "is_enforced": False,
        "is_first": True,
    }


async def _create(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    key = arguments.required_text("feedback_key")
    config = _config(arguments)
    if config is None:
        raise Invalid("feedback_config is missing; it takes an object with a type.")
    lower_is_better = arguments.flag("is_lower_score_better")

    def create(store: Store) -> dict[str, Any]:
        kept = store.read_setting(_KIND, key)
        if kept is None or kept["config"] != config:
            kept = {
                "id": str(ids.new_id()),
                "config": config,
                "is_lower_score_better": lower_is_better,
                "modified_us": now_us(),
            }
            store.write_setting(_KIND, key, kept)
        return kept

    return answer(_shown(key, await board.writer.change(create), board))


def _config(arguments: Arguments) -> dict[str, Any] | None:
    config = arguments.raw("feedback_config")
    if config is None:
        return None
    if not isinstance(config, dict) or config.get("type") not in _TYPES:
        raise Invalid(f"feedback_config takes an object whose type is one of {', '.join(_TYPES)}.")
    categories = config.get("categories")
    if not isinstance(categories, list | None):
        raise Invalid(f"categories is {shown(categories)}; it takes a list.")
    _check_categories(categories or ())
    return config


def _check_categories(categories: Iterable[Any]) -> None:
    for category in categories:
        if not isinstance(category, dict) or "value" not in category:
            raise Invalid(f"A category is {shown(category)}; it takes an object with a value.")


async def _list(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    keys, part = arguments.texts("key"), (arguments.text("name_contains") or "").lower()
    offset = arguments.count("offset", 0)
    limit = min(arguments.count("limit", MAX_PAGE), MAX_PAGE)
    kept = await board.read(board.store.list_settings, _KIND)
    wanted = [
        _shown(key, config, board)
        for key, config in sorted(kept.items())
        if (not keys or key in keys) and part in key.lower()
    ]
    return answer(wanted[offset : offset + limit])


async def _update(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(await read_object(request))
    key = arguments.required_text("feedback_key")
    config, lower_is_better = _config(arguments), arguments.flag("is_lower_score_better")

    def update(store: Store) -> dict[str, Any]:
        kept = store.read_setting(_KIND, key)
        if kept is None:
            raise Missing("Feedback configuration")
        kept["config"] = _with_categories(config or kept["config"], arguments)
        if lower_is_better is not None:
            kept["is_lower_score_better"] = lower_is_better
        kept["modified_us"] = now_us()
        store.write_setting(_KIND, key, kept)
        return dict(kept)

    return answer(_shown(key, await board.writer.change(update), board))


def _with_categories(config: dict[str, Any], arguments: Arguments) -> dict[str, Any]:
    """Return a configuration with categories added and taken away, as the arguments say."""
    added, removed = arguments.values("add_categories"), arguments.values("remove_categories")
    if not added and not removed:
        return config
    if config["type"] != "categorical":
        raise Invalid("Only a categorical configuration has categories to add or remove.")
    categories = [each for each in config.get("categories") or [] if each["value"] not in removed]
    if removed and len(categories) < FEWEST_CATEGORIES:
        raise Invalid(f"At least {FEWEST_CATEGORIES} categories must remain.")
    _check_categories(added)
    for category in added:
        if any(_clash(category, each) for each in categories):
            raise Invalid(f"There is a category of the value {category['value']!r} or its label.")
        categories.append(category)
    return {**config, "categories": categories}


def _clash(one: dict[str, Any], other: dict[str, Any]) -> bool:
    label = one.get("label")
    return one["value"] == other["value"] or (label is not None and label == other.get("label"))


async def _delete(request: Request) -> Response:
    board = board_of(request)
    arguments = Arguments(request.query_params)
    key, config_id = arguments.text("feedback_key"), arguments.text("id")
    kept = await board.read(board.store.list_settings, _KIND)
    gone = [each for each, config in kept.items() if each == key or config["id"] == config_id]
    if not gone:
        raise Missing("Feedback configuration")
    await board.writer.change(lambda store: store.write_setting(_KIND, gone[0], None))
    return no_content()


ROUTES = [
    Route("/feedback-configs", _create, methods=["POST"]),
    Route("/feedback-configs", _list, methods=["GET"]),
    Route("/feedback-configs", _update, methods=["PATCH"]),
    Route("/feedback-configs", _delete, methods=["DELETE"]),
]
