"""The two libraries, each with handlers that differ in their base class alone."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7 as rival_uuid7

from benchmarks.handlers import Hears, HearsAsync, HearsPrompts
from callboard.ids import uuid7

__all__ = ["OURS", "RIVAL", "Library"]


@dataclass(frozen=True)
class Library:
    """A library, and what both have under the same names.

    Attributes:
        name: Its distribution.
        version: The one that is measured.
        callbacks: Its module of callbacks.
        new_id: What makes its run ids.
        heard: A handler class that hears what is measured.
        heard_async: The same with coroutines.
        inline: One that async code calls directly.
        prompts: One that hears text models, but not chat models.
        silent: One that overrides nothing.
    """

    name: str
    version: str
    callbacks: Any
    new_id: Callable[[], UUID]
    heard: type
    heard_async: type
    inline: type
    prompts: type
    silent: type


def _library(name: str, package: str, new_id: Callable[[], UUID]) -> Library:
    callbacks: Any = import_module(f"{package}.callbacks")
    base = callbacks.BaseCallbackHandler
    return Library(
        name,
        version(name),
        callbacks,
        new_id,
        heard=type("Heard", (Hears, base), {}),
        heard_async=type("HeardAsync", (HearsAsync, callbacks.AsyncCallbackHandler), {}),
        inline=type("Inline", (Hears, base), {"run_inline": True}),
        prompts=type("Prompts", (HearsPrompts, base), {}),
        silent=type("Silent", (base,), {}),
    )


OURS = _library("callboard", "callboard", uuid7)
RIVAL = _library("langchain-core", "langchain_core", rival_uuid7)
