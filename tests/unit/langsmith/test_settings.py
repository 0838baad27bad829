"""What the environment says of tracing: each variable, its twin, and which of them counts."""

import pytest

from callboard.environment import reload_environment
from callboard.langsmith import settings

READERS = {
    "ENDPOINT": (settings.endpoint, "https://api.smith.langchain.com"),
    "API_KEY": (settings.api_key, None),
    "WORKSPACE_ID": (settings.workspace, None),
    "PROJECT": (settings.project, "default"),
    "SESSION": (settings.project, "default"),
}
TWINS = pytest.mark.parametrize("prefix", ["LANGSMITH_", "LANGCHAIN_"])


@TWINS
@pytest.mark.parametrize("name", READERS)
def test_each_variable_is_read_by_either_name(name, prefix, environment):
    read, default = READERS[name]
    assert read() == default
    environment(**{prefix + name: " 'told' "})
    assert read() == "told"


@pytest.mark.parametrize("name", READERS)
def test_langsmiths_name_counts_more_unless_it_is_empty(name, environment):
    read, _ = READERS[name]
    environment(**{f"LANGCHAIN_{name}": "old", f"LANGSMITH_{name}": "new"})
    assert read() == "new"
    environment(**{f"LANGSMITH_{name}": ""})
    assert read() == "old"


def test_a_project_counts_more_than_a_session(environment):
    environment(LANGSMITH_SESSION="session", LANGCHAIN_PROJECT="project")
    assert settings.project() == "project"


@TWINS
@pytest.mark.parametrize("name", ["TRACING", "TRACING_V2"])
@pytest.mark.parametrize(
    ("value", "on"),
    [
        *((value, True) for value in ("true", "True", "1", "yes", "on")),
        *((value, False) for value in ("false", "0", "", "no", "off")),
    ],
)
def test_tracing_is_on_where_a_variable_says_so(prefix, name, value, on, environment):
    assert not settings.tracing_enabled()
    environment(**{prefix + name: value})
    assert settings.tracing_enabled() is on


def test_the_second_version_of_tracing_counts_more(environment):
    environment(LANGCHAIN_TRACING_V2="false", LANGSMITH_TRACING="true")
    assert not settings.tracing_enabled()


@TWINS
@pytest.mark.parametrize("what", ["INPUTS", "OUTPUTS", "METADATA"])
def test_what_is_hidden_is_hidden_alone(what, prefix, environment):
    environment(**{f"{prefix}HIDE_{what}": "true"})
    hidden = [each for each in ("INPUTS", "OUTPUTS", "METADATA") if settings.hides(each)]
    assert hidden == [what]


@TWINS
@pytest.mark.parametrize(("value", "rate"), [("0", 0), ("1", 1), ("0.25", 0.25), ("1e-3", 0.001)])
def test_the_sampling_rate_is_a_share(prefix, value, rate, environment, caplog):
    assert settings.sampling_rate() == 1
    environment(**{f"{prefix}TRACING_SAMPLING_RATE": value})
    assert settings.sampling_rate() == rate
    assert caplog.records == []


@pytest.mark.parametrize("value", ["half", "50%", "-0.1", "1.1", "nan", "inf"])
def test_a_bad_sampling_rate_is_said_once_and_all_are_sent(value, environment, caplog):
    environment(LANGSMITH_TRACING_SAMPLING_RATE=value)
    for _ in range(3):
        assert settings.sampling_rate() == 1
        reload_environment()
    (warning,) = caplog.records
    assert f"must be a number from 0 to 1, got {value!r}: all are sent" in warning.message


def test_a_value_is_read_once_and_again_when_asked(monkeypatch):
    assert settings.project() == "default"
    monkeypatch.setenv("LANGSMITH_PROJECT", "later")
    assert settings.project() == "default"
    reload_environment()
    assert settings.project() == "later"


def test_the_spool_is_where_it_is_said_to_be(environment, tmp_path):
    environment(XDG_CACHE_HOME=str(tmp_path))
    assert settings.spool_directory() == tmp_path / "callboard" / "spool"
    environment(CALLBOARD_SPOOL_DIR=str(tmp_path / "own"))
    assert settings.spool_directory() == tmp_path / "own"
    environment(CALLBOARD_SPOOL_DIR="")
    assert settings.spool_directory() is None
