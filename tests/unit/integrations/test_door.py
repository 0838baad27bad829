"""The door: names are loaded when they are asked for, and those that are gone say where to."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from callboard import integrations
from callboard.errors import MissingExtraError, NotBuiltError
from callboard.integrations.extras import load
from callboard.integrations.moved import ELSEWHERE, MOVED


def test_every_name_is_there_once_and_in_order():
    assert integrations.__all__ == sorted(set(integrations.__all__))
    assert sorted(integrations._HOMES) == integrations.__all__
    for name in integrations.__all__:
        try:
            value = getattr(integrations, name)
        except MissingExtraError:
            continue
        assert value.__module__.startswith(("callboard.integrations", "callboard.errors"))
    assert set(integrations.__all__) <= set(dir(integrations))


def test_type_checkers_are_told_the_same_names():
    tree = ast.parse(inspect.getsource(integrations))
    [branch] = [node for node in tree.body if isinstance(node, ast.If)]
    told = [alias.name for node in branch.body for alias in node.names]
    assert sorted(told) == integrations.__all__


def test_a_name_that_never_was_is_refused_as_usual():
    with pytest.raises(AttributeError, match="NoSuchHandler"):
        _ = integrations.NoSuchHandler
    assert not hasattr(integrations, "NoSuchHandler")


@pytest.mark.parametrize("name", sorted(MOVED))
def test_a_handler_that_is_gone_says_in_a_sentence_what_to_use(name):
    with pytest.raises(NotBuiltError) as told:
        exec(f"from callboard.integrations import {name}")
    sentence = str(told.value)
    assert sentence.startswith(f"{name} is not part of Callboard: {MOVED[name].platform} ")
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_handler_that_is_no_integration_says_where_it_is(name):
    with pytest.raises(NotBuiltError) as told:
        exec(f"from callboard.integrations import {name}")
    assert str(told.value) == f"{name} is elsewhere: from {ELSEWHERE[name]} import {name}."
    assert hasattr(import_module(ELSEWHERE[name]), name)


def test_no_name_is_here_and_gone_or_elsewhere():
    assert not set(MOVED) & set(integrations.__all__)
    assert not set(ELSEWHERE) & {*integrations.__all__, *MOVED}


def test_a_missing_package_says_what_to_type():
    with pytest.raises(MissingExtraError, match=r"pip install 'callboard\[otel\]'"):
        load("opentelemetry.no_such_module", "opentelemetry-api", "otel")


def test_importing_the_door_loads_no_platform():
    program = (
        "import sys, callboard.integrations, callboard.integrations.base\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert not set(done.stdout.split()) & {
        "clearml",
        "comet_ml",
        "IPython",
        "genai_prices",
        "gradio",
        "httpx",
        "mlflow",
        "opentelemetry",
        "prometheus_client",
        "rich",
        "sentry_sdk",
        "streamlit",
        "tqdm",
        "wandb",
    }
