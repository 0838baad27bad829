"""Redaction of operations: what it reaches, in which order, and what it does when it fails."""

import copy
from uuid import UUID

import pytest
from langsmith.anonymizer import create_anonymizer

from callboard.redaction import Redaction, Rule, redacted
from callboard.wire import json
from callboard.wire.operations import Attachment, Operation
from tests.unit.redaction.making import RUN, inputs_of

MAIL = "ada@example.com"
EVERYWHERE = {
    "inputs": {"q": MAIL, "list": [{"deep": (MAIL,)}], MAIL: 1, "bytes": MAIL.encode()},
    "outputs": {"a": MAIL},
    "events": [{"name": "new_token", "time": "now", "kwargs": {"token": MAIL}}],
    "extra": {"metadata": {"user": MAIL}, "invocation_params": {"user": MAIL}},
    "error": f"ValueError('{MAIL}')",
    "serialized": {"kwargs": {"user": MAIL}},
}


def operation(kind="create", head=None, **parts):
    return Operation(kind, RUN, head or {}, parts)


def said(told):
    return told.parts["extra"]["metadata"]["callboard.redacted"]


def test_rules_reach_every_text_and_leave_what_they_were_given_alone():
    files = {f"{MAIL} notes": Attachment("text/plain", f"by {MAIL}".encode())}
    head = {"name": f"mail {MAIL}", "tags": [MAIL], "session_name": "project"}
    given = Operation("create", RUN, head, EVERYWHERE, files)
    before = copy.deepcopy(given)
    told = Redaction("emails").apply(given)
    assert given == before
    assert MAIL not in json.encode([told.head, told.parts]).decode()
    assert (told.head["name"], told.head["tags"]) == ("mail <email>", ["<email>"])
    assert told.head["session_name"] == "project"
    assert told.parts["inputs"] == {
        "q": "<email>",
        "list": [{"deep": ["<email>"]}],
        "<email>": 1,
        "bytes": b"<email>",
    }
    assert told.attachments == {"<email> notes": Attachment("text/plain", b"by <email>")}
    assert said(told) == {"emails": 14}


def test_attachments_whose_names_become_the_same_are_all_told():
    files = {each: Attachment("a/b", b"") for each in ("a@b.cd", "e@f.gh")}
    told = Redaction("emails").apply(Operation("create", RUN, {}, {}, files))
    assert [*told.attachments] == ["<email>", "<email> (2)"]


@pytest.mark.parametrize(
    "mime_type", ["TEXT/HTML", "application/yaml", "application/vnd.api+json", "image/svg+xml", "?"]
)
def test_attachments_that_are_text_are_searched_whatever_they_are_said_to_be(mime_type):
    files = {"f": Attachment(mime_type, b"by " + MAIL.encode())}
    told = Redaction("emails").apply(Operation("create", RUN, {}, {}, files))
    assert told.attachments == {"f": Attachment(mime_type, b"by <email>")}


def test_attachments_that_are_no_text_stay_as_they_are():
    picture = Attachment("image/png", b"\x89PNG\xff " + MAIL.encode())
    files = {"f": picture}
    told = Redaction("emails").apply(Operation("create", RUN, {}, {}, files))
    assert told.attachments == {"f": picture}


def test_attachments_of_the_end_are_hidden_with_the_outputs():
    files = {"f": Attachment("image/png", b"")}
    hiding = Redaction(hide_outputs=True)
    start = hiding.apply(Operation("create", RUN, {}, {}, files))
    end = hiding.apply(Operation("update", RUN, {"end_time": "2026"}, {}, files))
    assert (start.attachments, end.attachments) == (files, {})


def test_parts_that_are_json_already_are_read_first():
    told = Redaction("emails").apply(operation(inputs=json.encode({"q": MAIL})))
    assert told.parts["inputs"] == {"q": "<email>"}


def test_a_name_of_any_length_is_read():
    held = {"x" * 5000 + "_api_key": "abc"}
    assert [*inputs_of(Redaction("passwords"), held).values()] == ["<redacted>"]


def test_values_are_withheld_by_their_names():
    redaction = Redaction("passwords", names=["ssn"])
    told = inputs_of(
        redaction,
        {
            "OPENAI_API_KEY": "abc",
            "headers": {"Authorization": "x", "X-Api-Key": ["a", "b"]},
            "patient-SSN": 123,
            "password": None,
            "usage": {"total_tokens": 3, "token": "kept"},
            "arguments": '{"ssn": "078-05-1120"}',
            "api_key": {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
        },
    )
    assert told == {
        "OPENAI_API_KEY": "<redacted>",
        "headers": {"Authorization": "<redacted>", "X-Api-Key": "<redacted>"},
        "patient-SSN": "<redacted>",
        "password": None,
        "usage": {"total_tokens": 3, "token": "kept"},
        "arguments": '{"ssn": "<redacted>"}',
        "api_key": {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
    }


def test_a_cards_number_is_found_as_a_number_too():
    assert inputs_of(Redaction("cards"), {"n": 4111111111111111, "m": 10**12, "f": 1.5}) == {
        "n": "<card>",
        "m": 10**12,
        "f": 1.5,
    }


def test_keys_that_become_the_same_do_not_hide_each_other():
    assert inputs_of(Redaction("emails"), {"a@b.cd": 1, "e@f.gh": 2}) == {
        "<email>": 1,
        "<email> (2)": 2,
    }


def test_what_is_too_deep_or_endless_is_withheld():
    ring = []
    ring.append(ring)
    deep = MAIL
    for _ in range(300):
        deep = [deep]
    told = inputs_of(Redaction("emails"), {"ring": ring, "deep": deep})
    assert told["ring"] == ["<withheld: too deep to be searched>"]
    assert MAIL not in str(told)


# --- Functions ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inputs", "outputs"])
def test_what_is_hidden_is_not_told(name):
    told = Redaction(**{f"hide_{name}": True}).apply(operation(**EVERYWHERE))
    assert told.parts[name] == {}
    other = {"inputs": "outputs", "outputs": "inputs"}[name]
    assert MAIL in str(told.parts[other])
    hidden_events = [{"name": "new_token", "time": "now"}]
    assert (told.parts["events"] == hidden_events) is (name == "outputs")
    assert said(told) == {f"hide_{name}": 1}


def test_a_function_says_what_is_told():
    def first_word(inputs):
        inputs["q"] = inputs["q"].split()[0]  # It is given a copy, and may change it.
        return inputs

    given = operation(inputs={"q": "one two"})
    told = Redaction(hide_inputs=first_word).apply(given)
    assert told.parts["inputs"] == {"q": "one"}
    assert given.parts["inputs"] == {"q": "one two"}


def test_the_anonymizer_sees_every_part():
    def mask(value):
        if isinstance(value, dict):
            return {key: mask(each) for key, each in value.items()}
        if isinstance(value, list):
            return [mask(each) for each in value]
        return value.replace(MAIL, "***") if isinstance(value, str) else value

    parts = {**EVERYWHERE, "inputs": {"q": MAIL}}
    parts["extra"] = {**parts["extra"], "runtime": {"sdk": "callboard-py"}}
    told = Redaction(anonymizer=mask).apply(operation(**parts))
    assert MAIL not in str(told.parts)
    assert told.parts["error"] == "ValueError('***')"
    assert [*told.parts["events"][0]] == ["name", "time", "kwargs"]
    assert told.parts["extra"]["runtime"] == {"sdk": "callboard-py"}


def test_an_anonymizer_of_the_langsmith_sdk_does():
    mask = create_anonymizer([{"pattern": r"\S+@\S+\.com", "replace": "***"}])
    parts = {"inputs": {"q": MAIL, "list": [{"deep": MAIL}]}, "error": f"No {MAIL}"}
    told = Redaction(anonymizer=mask).apply(operation(**parts))
    assert told.parts["inputs"] == {"q": "***", "list": [{"deep": "***"}]}
    assert told.parts["error"] == "No ***"


def broken(value):
    raise ValueError(MAIL)


@pytest.mark.parametrize(
    "function", [broken, lambda value: None, lambda value: MAIL], ids=["raises", "nothing", "text"]
)
@pytest.mark.parametrize("option", ["hide_inputs", "anonymizer"])
def test_what_a_function_fails_on_is_withheld_and_that_is_said_once(function, option, caplog):
    redaction = Redaction(**{option: function})
    for _ in range(3):
        told = redaction.apply(operation(inputs={"q": MAIL}, error=MAIL))
        assert told.parts["inputs"] == {}
        assert said(told)["withheld"] >= 1
    [record] = caplog.records
    assert option in record.getMessage()
    assert MAIL not in record.getMessage()
    if option == "anonymizer":
        assert told.parts["error"] == "<withheld>"


def test_a_failure_of_redaction_itself_withholds_everything(caplog, monkeypatch):
    redaction = Redaction(Rule("own", "x"))
    monkeypatch.setattr(redaction, "_texts", 1)
    files = {"a": Attachment("text/plain", MAIL.encode())}
    given = Operation("update", RUN, {"name": MAIL, "tags": [MAIL], "id": RUN}, EVERYWHERE, files)
    for _ in range(2):
        told = redaction.apply(given)
        assert MAIL not in str([told.head, told.parts, told.attachments])
    assert told.head["id"] == RUN
    [record] = caplog.records
    assert "withheld" in record.getMessage()


# --- What is said -----------------------------------------------------------------------------


def test_what_was_redacted_of_the_start_is_said_again_at_the_end():
    redaction = Redaction("emails")
    extra = {"metadata": {"user": MAIL}}
    started = redaction.apply(operation(inputs={"q": MAIL}, extra=extra))
    assert said(started) == {"emails": 2}
    ended = redaction.apply(
        operation("update", {"end_time": 1}, outputs={"a": f"{MAIL} {MAIL}"}, extra=extra)
    )
    assert said(ended) == {"emails": 4}
    again = redaction.apply(operation("update", {"end_time": 1}, outputs={"a": MAIL}, extra=extra))
    assert said(again) == {"emails": 2}


def test_what_is_remembered_of_runs_that_never_end_has_a_bound():
    redaction = Redaction("emails")
    for number in range(10_050):
        redaction.apply(Operation("create", UUID(int=number), {}, {"inputs": {"q": MAIL}}))
    assert len(redaction._said._remembered) == 10_000
    last = Operation("update", UUID(int=10_049), {"end_time": 1}, {"extra": {}})
    assert said(redaction.apply(last)) == {"emails": 1}


def test_an_update_without_metadata_gets_none():
    told = Redaction("emails").apply(operation("update", outputs={"a": MAIL}))
    assert "extra" not in told.parts


def test_nothing_is_said_where_nothing_was_redacted():
    told = Redaction("emails", "passwords").apply(operation(inputs={"q": "?"}, extra={}))
    assert told.parts["extra"] == {}


def test_several_redactions_add_up():
    own, asked = Redaction(Rule("orders", r"ORD-\d")), Redaction("emails")
    told = redacted(operation(inputs={"q": f"ORD-1 {MAIL}"}), [own, asked])
    assert told.parts["inputs"] == {"q": "<orders> <email>"}
    assert said(told) == {"emails": 1, "orders": 1}


def test_a_redaction_of_nothing_is_none():
    assert not Redaction()
    assert all([Redaction("ips"), Redaction(content=False), Redaction(hide_inputs=True)])
    assert repr(Redaction("ips", content=False)) == "<Redaction: ips, content off>"


# --- Text of running calls ------------------------------------------------------------------


@pytest.mark.parametrize(
    "redaction",
    [
        Redaction("emails"),
        Redaction(names=["pin"]),
        Redaction(content=False),
        Redaction(hide_outputs=True),
        Redaction(anonymizer=dict),
    ],
)
def test_what_may_change_outputs_says_so(redaction):
    assert redaction.touches_outputs


def test_what_is_about_inputs_and_metadata_leaves_outputs_alone():
    assert not Redaction(hide_inputs=True, hide_metadata=dict).touches_outputs
