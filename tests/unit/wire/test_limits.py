"""Each limit, at it and one over it."""

from uuid import UUID

import pytest

from callboard.errors import BadBodyError, BodyTooLargeError
from callboard.wire import batch, multipart
from callboard.wire.intake import Limits
from callboard.wire.operations import Attachment, Operation

RUN = UUID(int=1)
BOUNDARY = "boundary"
TYPE = multipart.content_type(BOUNDARY)


def body(**parts):
    return multipart.encode_body([Operation("create", RUN, {"id": RUN}, parts)], BOUNDARY)


def every_way(sent, limits):
    """The body whole, and byte by byte."""
    whole = multipart.decode(sent, TYPE, limits)
    assert whole == multipart.decode([bytes([each]) for each in sent], TYPE, limits)
    return whole


def test_bytes_of_a_body():
    sent = body(inputs={"a": "x" * 1000})
    assert every_way(sent, Limits(body_bytes=len(sent))).operations
    with pytest.raises(BodyTooLargeError, match=f"A body takes {len(sent) - 1} bytes"):
        multipart.decode(sent, TYPE, Limits(body_bytes=len(sent) - 1))


def test_a_body_over_its_limit_is_not_read_to_its_end():
    def endless():
        yield body()[: -len("--boundary--\r\n")]
        while True:
            yield b"x" * 1000

    with pytest.raises(BodyTooLargeError):
        multipart.decode(endless(), TYPE, Limits(body_bytes=100_000))


def test_bytes_of_a_part():
    sent = body(inputs={"a": "x" * 1000}, outputs={"b": 1})
    size = len(b'{"a":""}') + 1000
    assert every_way(sent, Limits(part_bytes=size)).refusals == []
    told = every_way(sent, Limits(part_bytes=size - 1))
    assert [each.parts for each in told.operations] == [{"outputs": b'{"b":1}'}]
    (refusal,) = told.refusals
    assert refusal.part == f"post.{RUN}.inputs"
    assert refusal.reason.endswith(f"a part takes {size - 1} bytes, and it has more.")


def test_a_part_over_its_limit_is_not_held():
    decoder = multipart.Decoder(TYPE, Limits(part_bytes=1000))
    decoder.feed(body()[: -len("--boundary--\r\n")])
    decoder.feed(b'--boundary\r\nContent-Disposition: form-data; name="x"\r\n\r\n')
    for _ in range(100):
        decoder.feed(b"x" * 10_000)
        assert len(decoder._splitter._buffer) < 100
    decoder.feed(b"\r\n--boundary--")
    told = decoder.close()
    assert len(told.operations) == len(told.refusals) == 1


def test_a_head_over_the_limit_costs_its_operation():
    big = Operation("create", RUN, {"id": RUN, "name": "x" * 1000}, {"inputs": {}})
    small = Operation("create", UUID(int=2), {"name": "a"})
    sent = multipart.encode_body([big, small], BOUNDARY)
    told = every_way(sent, Limits(part_bytes=500))
    assert [each.run_id for each in told.operations] == [UUID(int=2)]
    assert [each.part for each in told.refusals] == [f"post.{RUN}"]


def test_number_of_parts():
    sent = body(inputs={}, outputs={})
    assert every_way(sent, Limits(parts=3)).operations
    with pytest.raises(BodyTooLargeError, match="A body takes 2 parts"):
        multipart.decode(sent, TYPE, Limits(parts=2))


def test_bytes_of_headers():
    operation = Operation("create", RUN, {}, {}, {"x" * 500: Attachment("image/png", b"")})
    sent = multipart.encode_body([operation], BOUNDARY)
    size = max(len(header) for header in sent.split(b"\r\n\r\n")) - len("{}\r\n--boundary\r\n")
    assert every_way(sent, Limits(header_bytes=size)).operations
    with pytest.raises(BodyTooLargeError, match="A part's headers take 400 bytes"):
        multipart.decode(sent, TYPE, Limits(header_bytes=400))
    with pytest.raises(BodyTooLargeError, match="A part's headers take 400 bytes"):
        multipart.decode([bytes([each]) for each in sent], TYPE, Limits(header_bytes=400))


def test_depth_of_json():
    sent = body(inputs={"a": [[1]]}, outputs={"b": 1})
    assert every_way(sent, Limits(json_depth=3)).refusals == []
    told = every_way(sent, Limits(json_depth=2))
    assert [each.parts for each in told.operations] == [{"outputs": b'{"b":1}'}]
    assert [each.part for each in told.refusals] == [f"post.{RUN}.inputs"]
    with pytest.raises(BadBodyError, match="nested more than 2 deep"):
        batch.decode_run(b'{"inputs": [[1]]}', "create", RUN, Limits(json_depth=2))


def test_json_deeper_than_any_reader_goes():
    deep = b"[" * 1_000_000 + b"]" * 1_000_000
    told = multipart.decode(body(inputs=deep), TYPE)
    assert [each.part for each in told.refusals] == [f"post.{RUN}.inputs"]


def test_bytes_of_a_json_body():
    sent = batch.encode([Operation("create", RUN)])
    assert batch.decode(sent, Limits(body_bytes=len(sent))).operations
    for read in (batch.decode, lambda data, limits: batch.decode_run(data, "create", RUN, limits)):
        with pytest.raises(BodyTooLargeError, match="A body takes"):
            read(sent, Limits(body_bytes=len(sent) - 1))


def test_number_of_runs_in_a_json_batch():
    sent = batch.encode([Operation("create", RUN), Operation("update", RUN)])
    assert batch.decode(sent, Limits(parts=2)).operations
    with pytest.raises(BodyTooLargeError, match="A batch takes 1 runs"):
        batch.decode(sent, Limits(parts=1))
