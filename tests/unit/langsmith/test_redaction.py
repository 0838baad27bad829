"""What does not leave the process: as the environment says, as a tracer says, by any way out."""

import threading

import pytest

from callboard.callbacks import CallbackManager
from callboard.export import Exporter, HttpSink, MemorySink, Spool
from callboard.export.retry import Backoff
from callboard.export.shipping import Pace
from callboard.ids import uuid7
from callboard.langsmith import settings
from callboard.langsmith.exporters import default_exporter
from callboard.langsmith.tracer import LangChainTracer
from callboard.redaction import Redaction, Rule
from callboard.wire import json
from tests.unit.langsmith.sending import Recording
from tests.unit.wire.langsmith_server import receiving

MAIL = "ada@example.com"
EMAILS = Redaction("emails")


def traced(*handlers):
    """Make a call that has a mail address everywhere."""
    manager = CallbackManager.configure(list(handlers), inheritable_metadata={"user": MAIL})
    run = manager.on_chain_start(
        {}, {"q": MAIL}, name="run", attachments={"f": ("text/plain", b"f")}
    )
    run.get_child().on_tool_start({}, MAIL, name="tool").on_tool_error(ValueError(MAIL))
    run.on_chain_end({"a": MAIL})


def bytes_in(directory):
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


# --- Settings -------------------------------------------------------------------------------


def test_the_environment_says_what_is_redacted(environment):
    assert settings.redaction() is None
    environment(CALLBOARD_REDACT=" emails, keys,", LANGSMITH_HIDE_OUTPUTS="true")
    assert repr(settings.redaction()) == "<Redaction: emails, keys, hide_outputs>"


@pytest.mark.parametrize("value", ["off", "OFF", "false", "0", "no"])
def test_content_is_off_where_the_environment_says_so(environment, value):
    environment(CALLBOARD_CONTENT=value)
    sent = Recording()
    traced(LangChainTracer(destination=sent))
    assert sent.of("run").parts["inputs"] == {"q": "<redacted str 15>"}
    assert sent.of("tool", "update").parts["error"].startswith("ValueError: <redacted str ")
    assert MAIL not in str([operation.parts for operation in sent.operations])


def test_errors_alone_may_be_told(environment):
    environment(CALLBOARD_CONTENT="errors")
    sent = Recording()
    traced(LangChainTracer(destination=sent))
    assert sent.of("tool", "update").parts["error"].startswith(f"ValueError('{MAIL}')")
    assert sent.of("run").parts["inputs"] == {"q": "<redacted str 15>"}


@pytest.mark.parametrize("value", ["", "on", "true", "1", "yes"])
def test_content_is_on_where_the_environment_says_so(environment, value):
    environment(CALLBOARD_CONTENT=value)
    assert settings.redaction() is None


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"CALLBOARD_CONTENT": "of"}, "CALLBOARD_CONTENT is 'of'; it takes on, off or errors"),
        ({"CALLBOARD_REDACT": "emial"}, "no rule 'emial' to redact by; accepted are keys, emails"),
    ],
)
def test_what_can_not_be_understood_turns_content_off_and_is_said_once(
    environment, caplog, variables, told
):
    environment(**variables)
    sent = Recording()
    for _ in range(2):
        traced(LangChainTracer(destination=sent))
    assert MAIL not in str([operation.parts for operation in sent.operations])
    [record] = caplog.records
    assert told in record.getMessage()
    assert "without content" in record.getMessage()


def test_a_tracers_own_redaction_comes_before_the_environments(environment):
    environment(CALLBOARD_REDACT="emails")
    sent = Recording()
    own = Redaction(Rule("ada", r"ada(?=@)", "somebody"))
    traced(LangChainTracer(destination=sent, redaction=own))
    update = sent.of("run", "update")
    assert update.parts["outputs"] == {"a": "<email>"}
    assert update.parts["extra"]["metadata"]["callboard.redacted"] == {"ada": 3, "emails": 3}


def test_copies_of_a_tracer_redact_as_it_does():
    sent = Recording()
    traced(LangChainTracer(destination=sent, redaction=EMAILS).copy_with_metadata_defaults(tags=[]))
    assert sent.of("run").parts["inputs"] == {"q": "<email>"}


# --- Ways out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["exporter", "tracer", "both"])
def test_a_server_gets_nothing_that_is_redacted(where):
    ours = {"redaction": EMAILS} if where != "tracer" else {}
    theirs = {"redaction": EMAILS} if where != "exporter" else {}
    with receiving(zstd=True) as (url, requests):
        exporter = Exporter(HttpSink(url), **ours)
        traced(LangChainTracer(destination=exporter, **theirs))
        assert exporter.shutdown(10)
    bodies = b"".join(request.plain for request in requests if request.method == "POST")
    assert MAIL.encode() not in bodies
    assert b"<email>" in bodies
    assert b'"callboard.redacted":{"emails":3}' in bodies


def test_nothing_that_is_redacted_is_on_the_disk(tmp_path):
    exporter = Exporter(HttpSink("http://127.0.0.1:9"), spool=Spool(tmp_path), redaction=EMAILS)
    traced(LangChainTracer(destination=exporter))
    exporter.shutdown(10)
    assert exporter.counters.spooled == exporter.counters.emitted > 0
    held = bytes_in(tmp_path)
    assert MAIL.encode() not in held
    assert b"<email>" in held


class Stuck(MemorySink):
    """A sink that takes what it is given, and does not return before it is told to."""

    def __init__(self):
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()

    def send(self, operations):
        super().send(operations)
        self.entered.set()
        self.let_go.wait(10)


def test_nor_is_what_was_under_way_when_the_process_ended(tmp_path):
    sink = Stuck()
    exporter = Exporter(sink, spool=Spool(tmp_path), redaction=EMAILS, linger=0)
    traced(LangChainTracer(destination=exporter))
    assert sink.entered.wait(10)
    traced(LangChainTracer(destination=exporter))
    exporter.shutdown(0)
    sink.let_go.set()
    assert exporter.counters.spooled > 4
    assert MAIL.encode() not in bytes_in(tmp_path)
    assert MAIL not in str([operation.parts for operation in sink.operations])


def test_nor_is_what_overflows(tmp_path):
    sink = Stuck()
    exporter = Exporter(
        sink, spool=Spool(tmp_path), redaction=EMAILS, max_bytes=40_000, batch_count=2, linger=0
    )
    for _ in range(20):
        traced(LangChainTracer(destination=exporter))
    assert sink.entered.wait(10)
    deadline = threading.Event()
    for _ in range(1000):
        if exporter.counters.spooled:
            break
        deadline.wait(0.01)
    sink.let_go.set()
    assert MAIL.encode() not in bytes_in(tmp_path)
    exporter.shutdown(10)
    assert MAIL not in str([operation.parts for operation in sink.operations])


def test_a_function_is_called_once_for_each_value_however_often_it_is_sent(tmp_path):
    class Flaky(MemorySink):
        tries = 0

        def send(self, operations):
            self.tries += 1
            if self.tries < 4:
                raise OSError("not now")
            super().send(operations)

    called = []

    def hide(inputs):
        called.append(threading.current_thread())
        return {"number": len(called)}

    sink = Flaky()
    exporter = Exporter(
        sink,
        spool=Spool(tmp_path),
        redaction=Redaction(hide_inputs=hide),
        pace=Pace(0, Backoff(0.001, 0.002)),
    )
    CallbackManager([LangChainTracer(destination=exporter)]).on_chain_start({}, {"q": MAIL})
    while not exporter.counters.sent:
        exporter.flush(10)
    exporter.shutdown(10)
    [operation] = sink.operations
    inputs = operation.parts["inputs"]
    assert (json.decode(inputs) if isinstance(inputs, bytes) else inputs) == {"number": 1}
    assert [thread.name for thread in called] == ["callboard-export"]


def test_the_processs_exporter_redacts_whoever_sends(environment, tmp_path):
    with receiving(zstd=True) as (url, requests):
        environment(
            LANGSMITH_TRACING="true",
            LANGSMITH_ENDPOINT=url,
            CALLBOARD_SPOOL_DIR=str(tmp_path),
            CALLBOARD_REDACT="emails",
        )
        traced()
        default_exporter().submit(_told_by_somebody_else())
        assert default_exporter().shutdown(10)
    bodies = b"".join(request.plain for request in requests if request.method == "POST")
    assert bodies.count(b"<email>") > 5
    assert MAIL.encode() not in bodies


def _told_by_somebody_else():
    sent = Recording()
    LangChainTracer(destination=sent, redaction=Redaction()).on_chain_start(
        {}, {"q": "<email>"}, run_id=uuid7()
    )
    [operation] = sent.operations
    operation.parts["inputs"] = {"q": MAIL}
    return operation


def test_what_is_long_is_told_by_its_length():
    sink = MemorySink()
    exporter = Exporter(sink, redaction=Redaction(content=False))
    CallbackManager([LangChainTracer(destination=exporter)]).on_chain_start({}, {"q": "x" * 10**6})
    assert exporter.shutdown(10)
    assert sink.operations[0].parts["inputs"] == {"q": "<redacted str 1000000>"}
