"""Attachments: from a run's events to a server, and what becomes of those that can't be sent."""

import langsmith
import pytest
from langsmith.schemas import Attachment as TheirAttachment

from callboard.callbacks import CallbackManager
from callboard.export import Exporter, HttpSink, Spool
from callboard.langsmith import attachments
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import LLMResult
from callboard.redaction import Redaction
from callboard.wire.operations import Attachment
from tests.unit.langsmith.sending import Recording
from tests.unit.wire.langsmith_server import decoded, receiving

PHOTO = bytes(range(256)) * 8 + b"\r\n--\r\n\r\n"


@pytest.fixture
def sent():
    return Recording()


@pytest.fixture
def manager(sent):
    return CallbackManager.configure([LangChainTracer(destination=sent)])


@pytest.fixture(autouse=True)
def _notices_are_new(monkeypatch):
    monkeypatch.setattr(attachments._notices, "_given", set())


def test_files_told_at_the_start_are_sent_with_it_and_once(manager, sent, tmp_path):
    path = tmp_path / "sound.wav"
    path.write_bytes(PHOTO)
    files = {
        "photo": ("image/png", PHOTO),
        "sound": ("audio/wav", path),
        "theirs": TheirAttachment("text/plain", bytearray(b"x")),
    }
    run = manager.on_chain_start({}, {}, name="look", attachments=files)
    path.unlink()  # It has been read.
    run.on_chain_end({})
    create, update = sent.of("look"), sent.of("look", "update")
    assert create.attachments == {
        "photo": Attachment("image/png", PHOTO),
        "sound": Attachment("audio/wav", PHOTO),
        "theirs": Attachment("text/plain", b"x"),
    }
    assert update.attachments == {}
    assert "attachments" not in create.parts["extra"]


@pytest.mark.parametrize(
    ("start", "given", "end", "outcome"),
    [
        ("on_chain_start", {}, "on_chain_end", {}),
        ("on_chain_start", {}, "on_chain_error", OSError()),
        ("on_tool_start", "", "on_tool_end", ""),
        ("on_tool_start", "", "on_tool_error", OSError()),
        ("on_retriever_start", "", "on_retriever_end", []),
        ("on_retriever_start", "", "on_retriever_error", OSError()),
        ("on_llm_start", [""], "on_llm_end", LLMResult([])),
        ("on_llm_start", [""], "on_llm_error", OSError()),
    ],
)
def test_files_told_at_the_end_are_sent_with_it(manager, sent, start, given, end, outcome):
    started = getattr(manager, start)({}, given, name="r")
    (run,) = started if isinstance(started, list) else [started]
    getattr(run, end)(outcome, attachments={"made": ("image/png", PHOTO)})
    assert sent.of("r").attachments == {}
    assert sent.of("r", "update").attachments == {"made": Attachment("image/png", PHOTO)}


def test_files_may_be_put_on_the_run_while_it_runs(manager, sent):
    run = manager.on_chain_start({}, {}, name="r", attachments={"one": ("a/b", b"1")})
    (tracer,) = manager.handlers
    tracer.run_map[str(run.run_id)].attachments["two"] = ("a/b", b"2")
    run.on_chain_end({})
    assert [*sent.of("r", "update").attachments] == ["two"]
    assert tracer._attached == {}


@pytest.mark.parametrize(
    "file",
    [
        ("image/png", "a text"),
        ("image/png", None),
        b"no type",
        ("a", "b", "c"),
        (None, b"x"),
        ("image/png", b"x" * (attachments.MAX_BYTES + 1)),
    ],
    ids=["text", "nothing", "no type", "three", "bad type", "too big"],
)
def test_what_is_no_file_is_left_out_and_said_once(manager, sent, file, caplog):
    for _ in range(2):
        run = manager.on_chain_start({}, {"a": 1}, attachments={"bad": file, "good": ("a/b", b"x")})
        run.on_chain_end({})
    assert [[*each.attachments] for each in sent.operations] == [["good"], [], ["good"], []]
    [record] = caplog.records
    assert "The attachment 'bad' is not sent: it" in record.getMessage()


def test_a_file_that_is_missing_or_too_big_is_left_out_and_said(manager, sent, tmp_path, caplog):
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(attachments.MAX_BYTES + 1)
    files = {"gone": ("a/b", tmp_path / "gone"), "big": ("a/b", big)}
    manager.on_chain_start({}, {}, attachments=files)
    assert sent.operations[0].attachments == {}
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


@pytest.mark.parametrize("told", ["text", 1, [("a", "b")], None])
def test_attachments_that_are_none_harm_nobody(manager, sent, told):
    manager.on_chain_start({}, {"a": 1}, attachments=told).on_chain_end({}, attachments=told)
    assert [each.attachments for each in sent.operations] == [{}, {}]


@pytest.mark.parametrize("through", ["our own exporter", "the spool", "their client"])
def test_files_arrive_at_a_server_as_they_were(through, tmp_path):
    files = {"photo": ("image/png", PHOTO), "größe": ("text/plain", "é".encode())}
    with receiving(zstd=True) as (url, requests):
        client = None
        if through == "their client":
            client = langsmith.Client(api_url=url, api_key="k")
            tracer = LangChainTracer(client=client)
        else:
            exporter = Exporter(HttpSink(url), spool=Spool(tmp_path))
            tracer = LangChainTracer(destination=exporter)
        if through == "the spool":
            exporter = Exporter(HttpSink("http://127.0.0.1:9"), spool=Spool(tmp_path))
            tracer = LangChainTracer(destination=exporter)
        run = CallbackManager([tracer]).on_chain_start({}, {}, attachments=files)
        run.on_chain_end({})
        tracer.wait_for_futures(10)
        if client is not None:
            client.cleanup()
        else:
            exporter.shutdown(10)
        if through == "the spool":
            assert exporter.counters.spooled == 2
            exporter = Exporter(HttpSink(url), spool=Spool(tmp_path))
            run = CallbackManager([LangChainTracer(destination=exporter)]).on_chain_start({}, {})
            assert exporter.flush(10)
            while exporter.counters.spooled:
                exporter.flush(10)
            exporter.shutdown(10)
        arrived = {}
        for operation in decoded(requests).operations:
            arrived |= operation.attachments
    assert arrived == {name: Attachment(*file) for name, file in files.items()}


def test_hidden_inputs_hide_files_too(sent):
    tracer = LangChainTracer(destination=sent, redaction=Redaction(hide_inputs=True))
    CallbackManager([tracer]).on_chain_start({}, {}, attachments={"a": ("a/b", b"x")})
    assert sent.operations[0].attachments == {}
    assert sent.operations[0].parts["extra"]["metadata"]["callboard.redacted"] == {"attachments": 1}
