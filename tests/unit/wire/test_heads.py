"""Heads, times and orders: what is taken and what is said of the rest."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from callboard.errors import BadBodyError
from callboard.wire.heads import checked
from callboard.wire.orders import began, ends, moment, places

ROOT, RUN = UUID(int=1), UUID(int=2)
ORDER = f"20261121T184430493081Z{ROOT}.20261121T184431000001Z{RUN}"
MOMENT = datetime(2026, 11, 21, 18, 44, 30, 493000, tzinfo=UTC)


def test_null_and_unknown_fields_are_left_out():
    told = {"name": None, "run_type": None, "revision_id": "x", "inputs": {}, "tags": []}
    assert checked(told, RUN) == {"id": str(RUN), "tags": []}


def test_ids_and_times_come_in_one_form():
    told = {"id": RUN.hex, "start_time": "2026-11-21T20:44:30.493+02:00", "tags": ["a", 1]}
    assert checked(told, RUN) == {
        "id": str(RUN),
        "start_time": MOMENT.isoformat(),
        "tags": ["a", "1"],
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": "x"}, "id is refused: 'x' is no UUID."),
        ({"id": str(ROOT)}, f"id is {ROOT}, but the part is named for the run {RUN}."),
        ({"trace_id": 5}, "trace_id is refused: 5 is no UUID."),
        ({"name": {}}, "name is refused: it is {}, and takes text."),
        (
            {"run_type": "agent"},
            "run_type is refused: it is 'agent', and takes one of chain, embedding, llm, ",
        ),
        ({"run_type": ["llm"]}, "run_type is refused: it is ['llm'], and takes one of"),
        ({"tags": "a"}, "tags is refused: it is 'a', and takes a list of text."),
        ({"start_time": "soon"}, "start_time is refused: a time is 'soon'; it takes ISO 8601"),
        ({"start_time": True}, "start_time is refused: a time is True"),
        ({"start_time": 1e300}, "start_time is refused: a time is 1e+300"),
        ({"start_time": "0001-01-01T00:00+10:00"}, "start_time is refused: a time is"),
        ({"dotted_order": "1.2"}, "dotted_order is refused: dotted_order is '1.2'; it takes"),
        ({"dotted_order": f"20261121T184430493081Z{ROOT}"}, f"dotted_order ends with {ROOT}"),
        ({"dotted_order": ORDER, "trace_id": str(RUN)}, f"dotted_order begins with {ROOT}"),
        ({"name": [1] * 1000}, "name is refused: it is [1, 1"),
    ],
)
def test_a_refusal_says_what_it_got_and_what_it_takes(fields, reason):
    with pytest.raises(BadBodyError) as refused:
        checked(fields, RUN)
    assert str(refused.value).startswith(reason)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T18:44:30.493+00:00",
        "2026-11-21T18:44:30.493Z",
        "2026-11-21T18:44:30.493",
        "2026-11-21T19:44:30.493+01:00",
        1795286670493,
        1795286670493.0,
    ],
)
def test_times_in_every_form(value):
    assert moment(value) == MOMENT
    assert moment(value).tzinfo is UTC


@pytest.mark.parametrize("fraction", ["493081", "493", "0"])
def test_orders_of_newer_and_older_clients(fraction):
    order = ORDER.replace("493081", fraction)
    assert places(order) == [ROOT, RUN]
    assert checked({"dotted_order": order.upper()}, RUN)["dotted_order"] == order.upper()


@pytest.mark.parametrize(
    "order", ["", ".", ORDER + ".", "." + ORDER, ORDER[:-1], ORDER.replace("Z", "z"), ORDER + "\n"]
)
def test_what_is_no_order(order):
    with pytest.raises(BadBodyError, match="it takes segments joined by dots"):
        places(order)


def test_a_place_says_when_its_run_started():
    assert began(ORDER) == datetime(2026, 11, 21, 18, 44, 31, 1, tzinfo=UTC)
    assert began(f"20261121T184430493Z{ROOT}") == MOMENT
    with pytest.raises(BadBodyError):
        began(f"20261321T184430493Z{ROOT}")


@pytest.mark.parametrize("depth", [1, 40, 400])
def test_places_may_be_deep(depth):
    order = ".".join([f"20261121T184430493081Z{ROOT}"] * depth + [f"20261121T184430493081Z{RUN}"])
    assert ends(order) == (str(ROOT), str(RUN))
    with pytest.raises(BadBodyError):
        ends(f"x{order}")
