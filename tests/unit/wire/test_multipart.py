"""The multipart form: how parts find their operation, and what a bad part costs."""

import gc
import weakref
from uuid import UUID

import pytest

from callboard.errors import BadBodyError
from callboard.wire import multipart
from callboard.wire.operations import Attachment, Feedback, Operation
from callboard.wire.parts import boundary_of

RUN, OTHER = UUID(int=1), UUID(int=2)
BOUNDARY = "boundary"
TYPE = multipart.content_type(BOUNDARY)


def part(name, content=b"{}", headers=b"Content-Type: application/json\r\n"):
    if isinstance(content, str):
        content = content.encode()
    disposition = f'Content-Disposition: form-data; name="{name}"\r\n'.encode()
    return b"--boundary\r\n" + disposition + headers + b"\r\n" + content + b"\r\n"


def read(*parts):
    return multipart.decode(b"".join(parts) + b"--boundary--\r\n", TYPE)


def reasons(batch):
    return [refusal.reason for refusal in batch.refusals]


def test_the_form_to_the_letter():
    operation = Operation(
        "create",
        RUN,
        {"name": "a"},
        {"error": "b", "inputs": {"c": 1}, "outputs": b'{"d": 2}', "extra": None},
        {"file": Attachment("text/plain", b"e")},
    )
    body = multipart.encode_body([operation, Feedback(OTHER, {"key": "f"})], BOUNDARY)
    assert (
        body.decode().replace("\r\n", "\n")
        == f"""\
--boundary
Content-Disposition: form-data; name="post.{RUN}"
Content-Type: application/json
Content-Length: 56

{{"id":"{RUN}","name":"a"}}
--boundary
Content-Disposition: form-data; name="post.{RUN}.inputs"
Content-Type: application/json
Content-Length: 7

{{"c":1}}
--boundary
Content-Disposition: form-data; name="post.{RUN}.outputs"
Content-Type: application/json
Content-Length: 8

{{"d": 2}}
--boundary
Content-Disposition: form-data; name="post.{RUN}.error"
Content-Type: application/json
Content-Length: 3

"b"
--boundary
Content-Disposition: form-data; name="attachment.{RUN}.file"
Content-Type: text/plain
Content-Length: 1

e
--boundary
Content-Disposition: form-data; name="feedback.{OTHER}"
Content-Type: application/json
Content-Length: 55

{{"id":"{OTHER}","key":"f"}}
--boundary--
"""
    )


def test_a_boundary_is_new_each_time():
    assert multipart.new_boundary() != multipart.new_boundary()
    assert boundary_of(multipart.content_type(BOUNDARY)) == b"boundary"


def test_attachments_get_names_and_types_that_a_header_can_have():
    files = {
        'a.b"c\r\nX: y': Attachment("text/plain\r\nX: y", b"1"),
        "a_b_c__X: y": Attachment("", b"2"),
        "\ud800": Attachment("image/png", b"3"),
    }
    body = multipart.encode_body([Operation("create", RUN, {}, {}, files)], BOUNDARY)
    (told,) = multipart.decode(body, TYPE).operations
    assert told.attachments == {
        "a_b_c__X: y": Attachment("application/octet-stream", b"1"),
        "a_b_c__X: y_": Attachment("application/octet-stream", b"2"),
        "?": Attachment("image/png", b"3"),
    }


def test_parts_of_other_runs_in_between():
    told = read(
        part(f"post.{RUN}"),
        part(f"patch.{RUN}"),
        part(f"post.{OTHER}"),
        part(f"patch.{RUN}.outputs", '{"a":1}'),
        part(f"post.{RUN}.inputs", '{"b":1}'),
        part(f"attachment.{RUN}.file", b"x"),
    )
    assert [(each.kind, each.run_id, each.parts) for each in told.operations] == [
        ("create", RUN, {"inputs": b'{"b":1}'}),
        ("update", RUN, {"outputs": b'{"a":1}'}),
        ("create", OTHER, {}),
    ]
    assert [list(each.attachments) for each in told.operations] == [[], ["file"], []]


def test_big_fields_in_the_head_are_taken_too():
    (told,) = read(
        part(f"post.{RUN}", '{"inputs":{"a":1},"error":"b","attachments":{"c":["d","e"]}}'),
        part(f"post.{RUN}.inputs", '{"a":2}'),
    ).operations
    assert told.parts == {"inputs": b'{"a":2}', "error": b'"b"'}
    assert told.attachments == {}


def test_null_parts_say_nothing():
    head = part(f"patch.{RUN}", '{"name":null}')
    (told,) = read(head, part(f"patch.{RUN}.inputs", "null")).operations
    assert told == Operation("update", RUN, {"id": str(RUN)})


def test_unknown_big_fields_are_ignored():
    told = read(part(f"post.{RUN}"), part(f"post.{RUN}.later", "no JSON"))
    assert told.operations == [Operation("create", RUN, {"id": str(RUN)})]
    assert told.refusals == []


@pytest.mark.parametrize(
    ("headers", "mime_type"),
    [
        (b"Content-Type: image/png; length=5\r\n", "image/png"),
        (b"content-type:text/plain; charset=x;  length=12 ; a=b\r\n", "text/plain; charset=x; a=b"),
        (b"Content-Type: a/b; mylength=12\r\n", "a/b; mylength=12"),
        (b"X-Else: a\r\nno header at all\r\n", "text/plain"),
    ],
)
def test_types_of_attachments(headers, mime_type):
    (told,) = read(part(f"post.{RUN}"), part(f"attachment.{RUN}.a.b", b"x", headers)).operations
    assert told.attachments == {"a.b": Attachment(mime_type, b"x")}


@pytest.mark.parametrize(
    "disposition",
    [
        b'content-disposition:form-data;name="%s"',
        b"Content-Disposition : form-data; filename=a; name=%s; b=c",
        b'Content-Disposition: form-data; filename="a"; name="%s"',
    ],
)
def test_headers_as_other_clients_write_them(disposition):
    header = disposition % f"post.{RUN}".encode()
    told = read(b"--boundary\r\n" + header + b"\r\n\r\n{}\r\n")
    assert told.operations == [Operation("create", RUN, {"id": str(RUN)})]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (part(f"post.{OTHER}", "{"), f"The part post.{OTHER} is refused: it is no JSON: "),
        (part(f"post.{OTHER}", "[]"), f"The part post.{OTHER} is refused: it is JSON, but no obj"),
        (
            part(f"post.{OTHER}", '{"run_type":"agent"}') + part(f"post.{OTHER}.inputs"),
            f"The part post.{OTHER} is refused: run_type is refused: it is 'agent'",
        ),
        (part("post.x"), "The part post.x is refused: 'x' is no UUID."),
        (part("post"), "The part post is refused: '' is no UUID."),
        (part(f"put.{OTHER}"), f"The part put.{OTHER} is refused: its name is none that"),
        (part(""), "A part without a name is refused: its name is none that"),
        (b"--boundary\r\n\r\n\r\n", "A part without a name is refused"),
        (part(f"post.{RUN}.outputs", "{'a'}"), f"The part post.{RUN}.outputs is refused: it is no"),
        (
            part(f"patch.{OTHER}.outputs"),
            f"The part patch.{OTHER}.outputs is refused: the body has no part patch.{OTHER}.",
        ),
        (
            part(f"attachment.{OTHER}.file"),
            f"The part attachment.{OTHER}.file is refused: the body has no part of run {OTHER}.",
        ),
        (part(f"attachment.{OTHER}"), f"The part attachment.{OTHER} is refused: its name is none"),
        (
            part(f"feedback.{OTHER}", f'{{"id":"{RUN}"}}'),
            f"The part feedback.{OTHER} is refused: its id is {RUN}, but it is named for {OTHER}.",
        ),
    ],
)
def test_a_bad_part_among_good_ones_is_refused_alone(bad, reason):
    told = read(
        part(f"post.{RUN}"), bad, part(f"post.{RUN}.inputs"), part(f"feedback.{RUN}", '{"key":"a"}')
    )
    assert told.operations == [Operation("create", RUN, {"id": str(RUN)}, {"inputs": b"{}"})]
    assert told.feedback == [Feedback(RUN, {"key": "a", "id": str(RUN)})]
    (said,) = reasons(told)
    assert said.startswith(reason)


def test_files_of_a_refused_head_go_with_it():
    told = read(part(f"post.{RUN}", "["), part(f"attachment.{RUN}.file", b"x"))
    assert told.operations == []
    assert len(told.refusals) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"--boundary--",
        b"--boundary--\r\n",
        b"--boundary--\r\nafterwards\r\n--boundary\r\n",
        b"before\r\n--boundary--",
    ],
)
def test_bodies_with_nothing_in_them(body):
    assert multipart.decode(body, TYPE) == multipart.decode([b"", body], TYPE) == read()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "The body ends before the boundary that closes it."),
        (b"{}", "The body ends before the boundary that closes it."),
        (part(f"post.{RUN}"), "The body ends before the boundary that closes it."),
        (part(f"post.{RUN}") + b"--boundary", "The body ends before the boundary that closes it."),
        (b"--boundaryless\r\n", "The body has a boundary that does not end its line."),
        (b"x" * 9000, "The body does not begin with the boundary of its Content-Type."),
    ],
)
def test_what_is_no_whole_body(body, reason):
    with pytest.raises(BadBodyError) as refused:
        multipart.decode(body, TYPE)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "value",
    [
        "multipart/form-data; boundary=boundary",
        'multipart/form-data; boundary="boundary"',
        "Multipart/Form-Data;charset=utf-8;Boundary=boundary; a=b",
        'multipart/form-data; a="; boundary=other"; boundary=boundary',
    ],
)
def test_content_types_that_are_taken(value):
    assert boundary_of(value) == b"boundary"


@pytest.mark.parametrize(
    "value",
    ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=a"],
)
def test_content_types_that_are_refused(value):
    with pytest.raises(BadBodyError, match="it takes multipart/form-data with a boundary"):
        multipart.decode(b"", value)


def test_a_decoder_leaves_no_circle_behind():
    """Its buffers are as big as bodies, and a server reads many before the collector comes."""
    told = Operation("create", RUN, {"name": "run"}, {"inputs": {"text": "x" * 100}})
    body = multipart.encode_body([told] * 3, BOUNDARY)
    gc.collect()
    gc.disable()
    try:
        decoder = multipart.Decoder(TYPE)
        decoder.feed(body)
        assert len(decoder.close().operations) == 3
        gone = weakref.ref(decoder._splitter)
        del decoder
        assert gone() is None
    finally:
        gc.enable()


def test_parts_with_headers_of_their_own_kind_are_read_among_usual_ones():
    odd = b"content-type:application/json; charset=utf-8\r\nX-More: 1\r\n"
    body = (
        part(f"post.{RUN}", '{"name": "one"}')
        + part(f"post.{RUN}.inputs", '{"a": 1}', odd)
        + part(f"post.{RUN}.extra", '{"b": 2}')
        + part(f"attachment.{RUN}.file", "", b"Content-Type: text/plain; length=0\r\n")
        + b"--boundary--\r\n"
    )
    for size in (1, 7, 64, len(body)):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        (found,) = multipart.decode(pieces, TYPE).operations
        assert found.parts == {"inputs": b'{"a": 1}', "extra": b'{"b": 2}'}
        assert found.attachments == {"file": Attachment("text/plain", b"")}
