"""What every run tells of its process."""

import pytest
from langsmith.env._runtime_env import get_langchain_env_var_metadata

from callboard.langsmith.runtime import environment_metadata, runtime

TOLD = {
    "LANGSMITH_PROJECT": "mine",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_SOMETHING": "else",
    "LANGSMITH_REVISION_ID": "abc",
}
UNTOLD = {
    "LANGSMITH_API_KEY": "hush",
    "LANGCHAIN_CREDENTIALS": "hush",
    "LANGCHAIN_PROJECT": "mine",
    "LANGSMITH_RUNS_ENDPOINTS": "[]",
    "OTHER": "1",
}


@pytest.fixture
def theirs():
    get_langchain_env_var_metadata.cache_clear()
    yield get_langchain_env_var_metadata
    get_langchain_env_var_metadata.cache_clear()


def test_the_environment_is_told_as_the_sdk_tells_it(environment, theirs):
    environment(**TOLD, **UNTOLD)
    assert environment_metadata() == theirs()
    assert environment_metadata()["revision_id"] == "abc"
    assert "hush" not in str(environment_metadata())


def test_a_revision_is_told_if_it_is_named(environment):
    assert "revision_id" not in environment_metadata()
    environment(LANGCHAIN_REVISION_ID="abc")
    assert environment_metadata()["revision_id"] == "abc"


def test_an_address_with_a_password_is_not_told(environment):
    environment(LANGSMITH_ENDPOINT="http://ada:hush@127.0.0.1:1984")
    assert "hush" not in str(environment_metadata())


def test_the_share_of_traces_that_are_sent_is_told_if_it_is_not_all(environment):
    environment(LANGSMITH_TRACING_SAMPLING_RATE="0.5")
    assert environment_metadata()["ls_tracing_sample_rate"] == 0.5
    environment(LANGSMITH_TRACING_SAMPLING_RATE="1")
    assert "ls_tracing_sample_rate" not in environment_metadata()


def test_a_run_says_what_it_runs_on():
    assert {"sdk", "sdk_version", "platform", "py_implementation"} <= {*runtime()}
    assert runtime()["runtime"] == "python"
