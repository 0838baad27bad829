"""What always holds of the windows and incidents behind alerts, held against naive ones."""

import operator
from fractions import Fraction
from math import ceil, fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard import ids
from callboard.integrations.alerts import ErrorRate, Example
from callboard.integrations.alerts.incidents import Incident
from callboard.integrations.alerts.watch import Watch
from callboard.integrations.alerts.windows import STEPS, Window

SECOND = 1_000_000
START = 1_790_000_000 * SECOND

lengths = st.sampled_from([0.5, 1, 7, 60, 300, 3_600])
limits = st.floats(0.01, 100)
values = st.floats(0, 10**5) | st.integers(0, 3).map(float)
percents = st.sampled_from([1, 29, 50, 90, 95, 99, 99.9])
orders = st.sampled_from([operator.gt, operator.lt])


@st.composite
def streams(draw):
    """A window's length, and values with their moments: in order, or a few in any."""
    seconds = draw(lengths)
    reach = round(2.5 * seconds * SECOND)
    # Twenty that are too old in a row would mean that the clock was set back.
    late = st.lists(st.tuples(st.integers(0, reach), values), max_size=19)
    ordered = st.lists(st.tuples(st.integers(0, 4 * reach), values), max_size=60).map(sorted)
    return seconds, [(START + moment, value) for moment, value in draw(late | ordered)]


def filled(seconds, stream, limit, is_worse=operator.gt, sizes=True):
    window = Window(seconds, limit, is_worse, sizes=sizes)
    for number, (moment, value) in enumerate(stream):
        window.add(moment, value, lambda number=number: number)
    return window


def inside(seconds, stream):
    """The places of those that are in a window at the end, by what its docstring says."""
    length = round(seconds * SECOND)
    last = max(moment for moment, _ in stream)
    return [
        number
        for number, (moment, _) in enumerate(stream)
        if Fraction(moment * STEPS, length) // 1 > Fraction(last * STEPS, length) // 1 - STEPS
    ]


@given(streams(), limits, orders)
def test_a_window_holds_what_a_list_of_everything_holds(given_stream, limit, is_worse):
    seconds, stream = given_stream
    window = filled(seconds, stream, limit, is_worse, sizes=False)
    if not stream:
        assert (window.count, window.average(), window.worst()) == (0, None, None)
        return
    held = [stream[number][1] for number in inside(seconds, stream)]
    assert window.count == len(held)
    assert window.beyond == sum(is_worse(value, limit) for value in held)
    assert window.total() == pytest.approx(fsum(held))
    assert window.average() == pytest.approx(fsum(held) / len(held))
    assert window.worst() == (max(held) if is_worse is operator.gt else min(held))
    assert stream[window.example()][1] == window.worst()


@given(streams(), limits)
def test_a_window_reaches_back_for_its_length_or_up_to_a_step_less(given_stream, limit):
    seconds, stream = given_stream
    if not stream:
        return
    window = filled(seconds, stream, limit)
    length, last = Fraction(round(seconds * SECOND)), max(moment for moment, _ in stream)
    surely = sum(moment > last - length + length / STEPS for moment, _ in stream)
    perhaps = sum(moment > last - length for moment, _ in stream)
    assert surely <= window.count <= perhaps


@given(streams(), limits, percents)
def test_a_percentile_is_beyond_the_limit_exactly_if_it_is(given_stream, limit, percent):
    seconds, stream = given_stream
    if not stream:
        return
    window = filled(seconds, stream, limit)
    held = sorted(stream[number][1] for number in inside(seconds, stream))
    exact = held[ceil(Fraction(str(percent)) * len(held) / 100) - 1]
    assert window.passes(percent) == (exact > limit)
    told = window.percentile(percent)
    assert told == pytest.approx(exact, rel=0.01, abs=limit * 1e-8)
    assert (told > limit) == (exact > limit)


@given(streams(), st.integers(0, 10**10))
def test_time_alone_takes_away_and_adds_nothing(given_stream, later):
    seconds, stream = given_stream
    window = filled(seconds, stream, 1.0)
    before = window.count
    window.advance(START + later)
    assert window.count <= before
    window.advance(START + later + 10 * round(seconds * SECOND) + 10**11)
    assert (window.count, window.beyond, window.total()) == (0, 0, 0.0)
    assert not window._steps


@given(st.lists(st.tuples(st.integers(0, 10**12), st.floats(-1e300, 1e300)), max_size=200))
def test_what_a_window_holds_is_bounded(stream):
    window = filled(5, [(START + moment, value) for moment, value in sorted(stream)], 1e-3)
    assert len(window._steps) <= STEPS
    assert all(len(step.sizes) <= 2_001 for step in window._steps.values())


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60),
    st.integers(0, 60),
    st.none() | st.integers(0, 60),
)
def test_what_is_told_of_an_incident_is_told_once_in_order_and_at_once(
    course, cooldown, remind_every
):
    incident = Incident(cooldown, remind_every)
    now, firing, told_at, over_at = START, False, 0, None
    for passed, is_broken in course:
        now += passed * SECOND
        state = incident.judge(now, is_broken=is_broken)
        cools = over_at is not None and now < over_at + cooldown * SECOND
        due = remind_every is not None and now >= told_at + remind_every * SECOND
        if firing:
            wanted = ("reminder" if due else None) if is_broken else "resolved"
        else:
            wanted = "firing" if is_broken and not cools else None
        assert state == wanted
        if state in {"firing", "reminder"}:
            told_at = now
        if state == "resolved":
            over_at = now
        firing = state == "firing" or (firing and state != "resolved")
        assert (incident.since is not None) == firing


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=80),
    st.sampled_from([0.0, 0.25, 0.5, 0.9]),
    st.integers(1, 6),
    st.integers(0, 30),
)
def test_a_rule_tells_what_a_look_at_all_runs_so_far_tells(course, above, min_count, cooldown):
    watch = Watch(ErrorRate(above=above, window=60, min_count=min_count, cooldown=cooldown))
    now, so_far, firing, over_at = START, [], None, -(10**30)
    for passed, failed in course:
        now += passed * SECOND
        so_far.append((now, float(failed)))
        seen = [so_far[number][1] for number in inside(60, so_far)]
        rate = sum(seen) / len(seen)
        alert = watch.add(now, float(failed), lambda: Example(id=ids.new_id()))
        if firing is None and rate > above and len(seen) >= min_count:
            wanted = "firing" if now >= over_at + cooldown * SECOND else None
        else:
            wanted = "resolved" if firing is not None and rate <= above else None
        assert (alert and alert.state) == wanted
        if wanted == "firing":
            firing = alert.id
        elif wanted == "resolved":
            assert alert.id == firing
            firing, over_at = None, now
        if wanted is not None:
            assert (alert.value, alert.count) == (pytest.approx(rate), len(seen))
