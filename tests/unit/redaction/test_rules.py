"""Rules: what each ready-made one finds and leaves alone, and how long that may take."""

import re
import signal
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.errors import BadOptionError
from callboard.redaction import READY_MADE, Redaction, Rule
from callboard.redaction.rules import MAX_SEARCHED
from callboard.wire.operations import Operation
from tests.unit.redaction.making import RUN, redacted_text

ALL = (*READY_MADE, "passwords")

FOUND = {
    "emails": [
        ("write to ada@example.com.", "write to <email>."),
        ("<a.b+c@x.y.co.uk>, 'and' Ünal@exämple.de", "<<email>>, 'and' <email>"),
        ("'ada@example.com' is o'brien@example.com's", "'<email>' is <email>'s"),
        ("mailto:ada@example.com?subject=x", "mailto:<email>?subject=x"),
    ],
    "keys": [
        ("sk-proj-abcdefghijklmnopqrstuvwx01", "<key>"),
        ("key=sk-ant-api03-abcdefghijklmnopqrst_-x", "key=<key>"),
        ("lsv2_pt_0123456789abcdef0123456789abcdef_0123456789", "<key>"),
        ("AKIAIOSFODNN7EXAMPLE", "<key>"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "<key>"),
        ("ghp_0123456789012345678901234567890123 x", "<key> x"),
        ("github_pat_0123456789012345678901", "<key>"),
        ("glpat-01234567890123456789", "<key>"),
        ("xoxb-0123456789-abc", "<key>"),
        ("AIza01234567890123456789012345678901234", "<key>"),
        ("hf_0123456789012345678901", "<key>"),
        ("rk_live_0123456789", "<key>"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "<key>!"),
        ("Authorization: Bearer 0123456789abcdef", "Authorization: <key>"),
        ("authorization: Basic dXNlcjpwYXNzd29yZA==", "authorization: <key>"),
        ("postgres://user:pass@host/db", "postgres://<key>@host/db"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n", "<key>\n"),
        ("-----BEGIN PRIVATE KEY-----\nMII cut off", "<key>"),
    ],
    "cards": [
        ("4111 1111 1111 1111", "<card>"),
        ("a 4111-1111-1111-1111, b", "a <card>, b"),
        ("3782 822463 10005 5555555555554444", "<card> <card>"),
        ("1234 4111 1111 1111 1111", "1234 <card>"),
    ],
    "ips": [
        ("from 192.168.0.1:80", "from <ip>:80"),
        ("[2001:db8::1] ::1 fe80::1", "[<ip>] <ip> <ip>"),
    ],
    "passwords": [
        ('{"password": "hunter2", "x": 1}', '{"password": "<redacted>", "x": 1}'),
        (r"{\"api_key\": \"abc\"}", r"{\"api_key\": \"<redacted>\"}"),
        ("?API-KEY=abc&x=1", "?API-KEY=<redacted>&x=1"),
        ("clientSecret='it\\'s' z", "clientSecret='<redacted>' z"),
        ("Authorization: Bearer abc", "Authorization: <redacted>"),
        ("pwd = two words", "pwd = <redacted> words"),
        ('"password": "never closed, not', '"password": "<redacted>'),
    ],
}
LEFT_ALONE = {
    "emails": ["pkg@1.2.3", "@decorator", "a @ b", "user@localhost", "@@@@"],
    "keys": ["risk-management-of-the-very-long-kind", "bearer of bad news", "sk-short", "AKIA"],
    "cards": ["4111 1111 1111 1112", "1699999999999", "20240101", "41111111111111111111111"],
    "ips": ["1.2.3", "999.1.2.3", "12:30:45", "std::string", "v1.2.3.4"],
    "passwords": ["max_tokens: 5", "the password is", "token: abc", "secretary: Ann"],
}  # fmt: skip


def cases(table):
    return [
        pytest.param(rule, each, id=f"{rule} {n}")
        for rule in table
        for n, each in enumerate(table[rule])
    ]


@pytest.mark.parametrize(("rule", "case"), cases(FOUND))
def test_a_rule_finds_what_it_is_there_for(rule, case):
    text, expected = case
    assert redacted_text(Redaction(rule), text) == expected


@pytest.mark.parametrize(("rule", "text"), cases(LEFT_ALONE))
def test_a_rule_leaves_alone_what_only_looks_similar(rule, text):
    assert redacted_text(Redaction(rule), text) == text


SECRETS = [text for rule in FOUND for text, _ in FOUND[rule]]


@given(
    st.lists(st.sampled_from([*SECRETS, *" .@-:/\"'\\\n", "a", "4", "sk-"]) | st.text(), max_size=8)
)
def test_what_was_redacted_once_stays_as_it_is(pieces):
    redaction = Redaction(*ALL)
    once = redacted_text(redaction, "".join(pieces))
    assert redacted_text(redaction, once) == once


@given(
    st.sampled_from(["ada@example.com", "sk-proj-abcdefghijklmnopqrstuvwx01", "4111111111111111"]),
    st.text(" \n,;()[]"),
    st.text(" \n,;()[]"),
)
def test_what_stands_between_spaces_and_brackets_is_found(secret, before, after):
    assert secret not in redacted_text(Redaction(*ALL), f"{before}{secret}{after}")


PIECES = [
    "a", "a.", "a'", "a''", "@", "a@", "a@b.", "1 ", "4", "4111 ", "sk-", "eyJ", "eyJaaaaaa.",
    "bearer ",
    "://a:", "-----BEGIN PRIVATE KEY", "-----BEGIN PRIVATE KEY-----", "1.1.", ":", "a:", "password",
    "password=", 'password="', "password='\\", "password\\", "api_key ", "AKIA", "\\", "basic ",
    "aws_secret_access_key=", "-", "a-", "xox", "secret_", "12:", "password \\\"",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_holds_a_search_up(piece):
    """Of a quadratic search, fifty thousand characters would take minutes."""

    def too_long(*_):
        raise TimeoutError(piece)

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(20)
    try:
        redacted_text(Redaction(*ALL), piece * (50_000 // len(piece)) + "!")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_rule_of_ones_own_is_applied_and_counted():
    redaction = Redaction(Rule("orders", r"ORD-(\d)\d{5}", r"ORD-\1…"), "emails")
    operation = redaction.apply(
        Operation("create", RUN, {}, {"inputs": {"a": "ORD-123456 ORD-654321", "b": "a@b.cd"}})
    )
    assert operation.parts["inputs"] == {"a": "ORD-1… ORD-6…", "b": "<email>"}
    said = operation.parts["extra"]["metadata"]["callboard.redacted"]
    assert said == {"orders": 2, "emails": 1}


def test_a_rule_of_ones_own_is_written_in_place_by_its_name():
    for pattern in (re.compile("ord", re.IGNORECASE), "(?i)ord"):
        assert Rule("orders", pattern).apply("an ORD") == ("an <orders>", 1)


def test_a_text_too_long_for_a_rule_of_ones_own_is_withheld():
    text = "x" * (MAX_SEARCHED + 1)
    assert redacted_text(Redaction(Rule("own", "y")), text) == (
        "<withheld: 1000001 characters, too long for the rule own>"
    )
    assert redacted_text(Redaction("emails"), text) == text


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Redaction("email"), "no rule 'email'.*emails, cards, ips, passwords, and a Rule"),
        (lambda: Redaction(["emails"]), "no rule \\['emails'\\]"),
        (lambda: Rule("x", "("), "'\\(', which is no regular expression"),
        (lambda: Rule("x", 1), "which is no regular expression"),
        (lambda: Rule("x", b"y"), "it takes text"),
        (lambda: Rule("x", "a*"), "matches nothing at all"),
        (lambda: Rule("x", "a", r"\1"), "none for its pattern"),
        (lambda: Rule("two words", "a"), "a name takes"),
        (lambda: Redaction(names="abc"), "takes a list of names"),
        (lambda: Redaction(names=["--"]), "no letter and no digit"),
        (lambda: Redaction(hide_inputs="yes"), "hide_inputs is 'yes'; it takes a function"),
        (lambda: Redaction(anonymizer="mask"), "anonymizer is 'mask', and takes a function"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_an_error_where_it_is_made(make, told):
    with pytest.raises(BadOptionError, match=told):
        make()


def test_what_is_counted_is_what_was_changed():
    counts = Counter()
    texts = Redaction(*ALL)._texts
    assert texts.text("nothing to see", counts) == "nothing to see"
    assert counts == {}
