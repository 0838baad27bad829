"""How alerts get to where they go: in order, in the background, a few times, and not for ever."""

import asyncio
import threading

import pytest

from callboard.errors import AlertNotTakenError
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.integrations.alerts import (
    AlertCallbackHandler,
    Channel,
    Deliveries,
    ErrorCount,
    FeedbackScore,
    Function,
)
from callboard.integrations.alerts.courier import Courier
from tests.unit.integrations.alerting import QUICK, Clock, Kept, alert
from tests.unit.integrations.scenes import manager_of


class Gate:
    """A channel that takes alerts once it is opened, and fails as it is told to."""

    def __init__(self, *troubles):
        self.troubles = list(troubles)
        self.open = threading.Event()
        self.entered = threading.Event()
        self.tried, self.taken, self.threads = 0, [], set()

    def __repr__(self):
        return "<Gate>"

    def send(self, alert):
        self.tried += 1
        self.threads.add(threading.current_thread())
        self.entered.set()
        self.open.wait(20)
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(alert)


@pytest.fixture
def begun():
    """Makes couriers that are shut down at the end."""
    couriers = []

    def make(channel, **options):
        couriers.append(Courier(channel, **{"pace": QUICK, **options}))
        return couriers[-1]

    yield make
    for courier in couriers:
        courier.shutdown(5)


def opened(*troubles):
    gate = Gate(*troubles)
    gate.open.set()
    return gate


def put(courier, count):
    alerts = [alert(number) for number in range(1, count + 1)]
    for each in alerts:
        courier.put(each)
    return alerts


def test_alerts_are_sent_in_order_from_another_thread_that_ends_when_there_are_no_more(begun):
    gate = Gate()
    courier = begun(gate)
    alerts = put(courier, 10)
    assert gate.taken == []
    gate.open.set()
    assert courier.flush(10)
    assert gate.taken == alerts
    [thread] = gate.threads
    assert thread is not threading.current_thread()
    assert thread.daemon
    thread.join(10)
    assert not thread.is_alive()
    again = put(courier, 2)
    assert courier.flush(10)
    assert gate.taken == alerts + again
    assert courier.deliveries == Deliveries(sent=12)


def test_what_fails_is_tried_again_and_keeps_its_place(begun):
    gate = opened(AlertNotTakenError("no"), OSError(), AlertNotTakenError("no"))
    courier = begun(gate)
    alerts = put(courier, 2)
    assert courier.flush(10)
    assert gate.taken == alerts
    assert gate.tried == 5


def test_what_fails_four_times_is_lost_and_counted_and_said_once_in_each_outage(begun, caplog):
    troubles = [AlertNotTakenError(f"no {number}") for number in range(8)]
    gate = opened(*troubles)
    courier = begun(gate)
    first, second, third = put(courier, 3)
    assert courier.flush(10)
    assert courier.deliveries == Deliveries(sent=1, lost=2)
    assert gate.taken == [third]
    gate.troubles = [AlertNotTakenError("no more", is_final=True)]
    put(courier, 1)
    assert courier.flush(10)
    assert courier.shutdown(5)
    assert caplog.messages == [
        f"An alert for <Gate> is lost (no 3): {first.text} This is said once in each outage.",
        f"An alert for <Gate> is lost (no more): {first.text} This is said once in each outage.",
    ]
    assert second.text not in caplog.text


def test_what_will_never_be_taken_is_not_tried_again(begun):
    gate = opened(AlertNotTakenError("gone", is_final=True))
    courier = begun(gate)
    put(courier, 2)
    assert courier.flush(10)
    assert (gate.tried, courier.deliveries) == (2, Deliveries(sent=1, lost=1))


def test_it_waits_as_long_as_it_is_asked_to():
    now = [0.0]
    gate = opened(AlertNotTakenError("later", retry_after=30))
    pace = Pace(backoff=Backoff(1.0, 60.0, lambda: 1.0), now=lambda: now[0])
    courier = Courier(gate, pace=pace)
    courier._start = lambda: None  # The test takes the steps.
    put(courier, 1)
    assert courier.step() == 0
    assert courier.step() == 31  # A second of backoff comes on top.
    now[0] = 30.5
    assert courier.step() == 0.5
    now[0] = 31
    assert courier.step() == 0
    assert courier.deliveries == Deliveries(sent=1)


def test_when_there_is_no_room_the_oldest_is_lost(begun, caplog):
    gate = Gate()
    courier = begun(gate, max_waiting=3)
    alerts = put(courier, 1)
    assert gate.entered.wait(10)
    alerts += put(courier, 5)
    gate.open.set()
    assert courier.flush(10)
    assert gate.taken == [alerts[0], *alerts[3:]]
    assert courier.deliveries == Deliveries(sent=4, lost=2)
    assert courier.shutdown(5)
    [said] = caplog.messages
    assert "(3 wait already)" in said


def test_the_application_never_waits_for_a_channel_that_hangs():
    gate = Gate()
    handler = AlertCallbackHandler(ErrorCount(remind_every=0), [gate, gate])
    for _ in range(20):
        manager_of(handler).on_chain_start(None, {}, name="a").on_chain_error(ValueError())
    handler.flush(0.01)
    assert handler.deliveries == Deliveries(waiting=40)
    gate.open.set()
    handler.close()
    assert handler.deliveries == Deliveries(sent=40)


def test_a_channel_that_hangs_does_not_hold_up_the_others():
    gate, other = Gate(), opened()
    handler = AlertCallbackHandler(ErrorCount(), [gate, other])
    manager_of(handler).on_chain_start(None, {}, name="a").on_chain_error(ValueError())
    assert other.entered.wait(10)
    assert gate.taken == []
    gate.open.set()
    handler.close()
    assert len(gate.taken) == len(other.taken) == 1


def test_what_is_not_taken_before_the_end_is_lost_and_said(begun, caplog):
    gate = Gate()
    courier = begun(gate)
    put(courier, 2)
    assert gate.entered.wait(10)
    assert not courier.shutdown(0.01)
    assert courier.deliveries == Deliveries(lost=2)
    assert "(it was not taken before the end)" in caplog.text
    gate.open.set()
    put(courier, 1)
    assert courier.deliveries == Deliveries(lost=3)


def test_where_no_thread_can_be_started_the_end_sends(begun, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    gate = opened(AlertNotTakenError("no"))
    courier = begun(gate)
    alerts = put(courier, 3)
    assert courier.shutdown(5)
    assert gate.taken == alerts


def test_a_function_may_flush_and_close_the_handler_that_calls_it(begun):
    handlers, got = [], []

    def hear(alert):
        handlers[0].flush(50)
        handlers[0].close()
        got.append(alert)

    handlers.append(AlertCallbackHandler(ErrorCount(), hear))
    manager_of(handlers[0]).on_chain_start(None, {}, name="a").on_chain_error(ValueError())
    handlers[0].flush(20)
    assert len(got) == 1
    assert handlers[0].deliveries == Deliveries(sent=1)


def test_a_coroutine_function_runs_on_a_loop_of_its_own():
    got = []

    async def hear(alert):
        await asyncio.sleep(0)
        got.append((alert.state, threading.current_thread().name))

    kept = Kept(ErrorCount(), Clock())
    kept.handler = AlertCallbackHandler(ErrorCount(), hear)

    async def fail():
        kept.fail()

    asyncio.run(fail())
    assert got == [("firing", "callboard-alerts")]


def test_a_coroutine_that_takes_too_long_is_given_up():
    async def hear(alert):
        await asyncio.sleep(60)

    with pytest.raises(AlertNotTakenError, match=r"hear> raised TimeoutError"):
        Function(hear, timeout=0.01).send(alert())


def test_of_what_a_function_raises_the_class_and_the_place_are_told():
    def hear(alert):
        raise OSError("Max retries exceeded with url: /services/SECRET")

    with pytest.raises(AlertNotTakenError) as told:
        Function(hear).send(alert())
    assert "SECRET" not in str(told.value)
    assert "hear> raised OSError in test_alert_delivery.py, line " in str(told.value)
    assert told.value.__cause__ is None


def test_a_function_may_say_that_it_is_of_no_use_to_try_again():
    def hear(alert):
        raise AlertNotTakenError("unsubscribed", is_final=True)

    with pytest.raises(AlertNotTakenError, match="unsubscribed") as told:
        Function(hear).send(alert())
    assert told.value.is_final


def test_a_channel_of_ones_own_has_send_and_is_taken_as_it_is():
    gate = opened()
    assert isinstance(gate, Channel)
    handler = AlertCallbackHandler(ErrorCount(), {gate})
    manager_of(handler).on_chain_start(None, {}, name="a").on_chain_error(ValueError())
    handler.flush(20)
    assert len(gate.taken) == 1


def test_a_closed_handler_hears_no_runs_and_no_feedback():
    kept = Kept([ErrorCount(), FeedbackScore(key="helpful", below=0.5)], Clock())
    for _ in range(2):
        kept.handler.close()
    assert kept.fail() == kept.judge(0) == []
    assert kept.handler.deliveries == Deliveries()
