"""Sending through somebody's own langsmith client."""

from unittest.mock import MagicMock, create_autospec
from uuid import UUID

import langsmith
import pytest

from callboard.callbacks import CallbackManager
from callboard.langsmith.tracer import LangChainTracer
from callboard.tracers import LangChainTracer as FromTheDoor

EXAMPLE = UUID(int=7)


@pytest.fixture
def client():
    """A client whose methods take what the real one's take, and nothing else."""
    return create_autospec(langsmith.Client, instance=True)


@pytest.fixture
def tracer(client):
    return LangChainTracer(EXAMPLE, "mine", client)


def test_the_door_has_the_tracer():
    assert FromTheDoor is LangChainTracer


def test_runs_are_created_and_updated_through_the_client(client, tracer):
    manager = CallbackManager.configure([tracer], inheritable_tags=["t"])
    run = manager.on_chain_start({"name": "c"}, {"a": [1]}, name="chain")
    (created,) = client.create_run.call_args_list
    assert created.args == ()
    told = created.kwargs
    assert (told["name"], told["run_type"], told["inputs"]) == ("chain", "chain", {"a": [1]})
    assert (told["project_name"], told["tags"]) == ("mine", ["t"])
    assert told["id"] == told["trace_id"] == run.run_id
    assert told["reference_example_id"] == EXAMPLE
    assert told["start_time"].tzinfo is not None
    assert "session_name" not in told
    assert "outputs" not in told

    run.on_chain_end({"b": 2})
    (updated,) = client.update_run.call_args_list
    assert updated.args == (run.run_id,)
    assert updated.kwargs["outputs"] == {"b": 2}
    assert updated.kwargs["end_time"] is not None
    assert updated.kwargs["trace_id"] == run.run_id
    assert updated.kwargs["dotted_order"] == told["dotted_order"]
    assert client.create_run.call_count == 1


def test_a_run_whose_inputs_come_late_is_created_once(client, tracer):
    run = CallbackManager([tracer]).on_chain_start({}, {}, defers_inputs=True)
    client.create_run.assert_not_called()
    run.on_chain_error(ValueError("no"), inputs={"whole": 1})
    told = client.create_run.call_args.kwargs
    assert told["inputs"] == {"whole": 1}
    assert told["error"].startswith("ValueError('no')")
    assert told["end_time"] is not None
    client.update_run.assert_not_called()


def test_the_client_knows_where_its_runs_are(client, tracer):
    client.get_run_url.return_value = "https://example.com/the/run"
    CallbackManager([tracer]).on_chain_start({}, {}).on_chain_end({})
    assert tracer.get_run_url() == "https://example.com/the/run"
    client.get_run_url.assert_called_once_with(run=tracer.latest_run, project_name="mine")


def test_waiting_flushes_the_client(client, tracer):
    tracer.on_chain_start(None, {}, run_id=EXAMPLE)
    assert tracer.wait_for_futures()
    client.flush.assert_called_once_with()


def test_copies_send_through_the_same_client(client, tracer):
    twin = tracer.copy_with_metadata_defaults(metadata={"a": 1})
    twin.on_chain_start(None, {}, run_id=EXAMPLE)
    assert client.create_run.call_args.kwargs["extra"]["metadata"] == {"a": 1}


def test_a_mock_of_a_client_does_too():
    client = MagicMock(spec=langsmith.Client)
    manager = CallbackManager([LangChainTracer(client=client)])
    manager.on_tool_start({}, "x").on_tool_end(1)
    assert (client.create_run.call_count, client.update_run.call_count) == (1, 1)


def test_a_client_that_fails_does_not_break_the_application(client, tracer, caplog):
    client.create_run.side_effect = client.update_run.side_effect = OSError("gone")
    CallbackManager([tracer]).on_chain_start({}, {}).on_chain_end({})
    assert tracer.run_map == {}
    assert all("OSError('gone')" in record.message for record in caplog.records)
