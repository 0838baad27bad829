"""Alerts over HTTP, to a real receiver that has every trouble there is."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from callboard.callbacks import CallbackManager
from callboard.errors import AlertNotTakenError
from callboard.integrations import AlertCallbackHandler
from callboard.integrations.alerts import Deliveries, ErrorCount, Slack, Webhook
from callboard.integrations.alerts.courier import Courier
from tests.integrations.hooks import SECRET, Hooks
from tests.unit.integrations.alerting import QUICK, alert

PROGRAMS = Path(__file__).with_name("alert_programs.py")


@pytest.fixture
def hooks(tmp_path):
    with Hooks(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def deliver():
    """Delivers alerts, and tells what became of them."""
    couriers = []

    def to(channel, count=1):
        courier = Courier(channel, pace=QUICK)
        couriers.append(courier)
        for number in range(count):
            courier.put(alert(number))
        assert courier.flush(20)
        return courier.deliveries

    yield to
    for courier in couriers:
        courier.shutdown(0)


def test_a_webhook_is_posted_what_an_alert_tells(hooks):
    handler = AlertCallbackHandler(
        ErrorCount(name="any error"),
        Webhook(hooks.url, headers={"Authorization": "Bearer x"}),
        link="https://board.example/{run_id}",
    )
    with handler:
        run = CallbackManager.configure([handler]).on_chain_start(None, {}, name="agent")
        run.on_chain_error(ValueError("é"))
    [post] = hooks.posts
    assert post.path == SECRET
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["User-Agent"].startswith("callboard")
    assert post.headers["Authorization"] == "Bearer x"
    assert post.body["state"] == "firing"
    assert post.body["rule"] == "any error"
    assert post.body["run"]["error_message"] == "ValueError: é"
    assert post.body["link"] == f"https://board.example/{run.run_id}"


def test_slack_is_posted_blocks(hooks, deliver):
    assert deliver(Slack(hooks.url), 2) == Deliveries(sent=2)
    assert [set(post.body) for post in hooks.posts] == [{"text", "blocks"}] * 2


def test_the_body_may_be_one_of_ones_own(hooks, deliver):
    deliver(Webhook(hooks.url, body=lambda alert: {"summary": alert.text, "key": alert.id}))
    assert set(hooks.posts[0].body) == {"summary", "key"}


@pytest.mark.parametrize("trouble", ["reset", "garbage", 500, 503, 429, 408])
def test_what_may_pass_is_tried_again_and_alerts_keep_their_order(hooks, deliver, trouble):
    hooks.plan = [{"do": trouble}, {"do": 200}, {"do": trouble}, {"do": trouble}]
    assert deliver(Webhook(hooks.url), 3) == Deliveries(sent=3)
    rules = [post.body["rule"] for post in hooks.posts]
    assert rules == ["rule 0", "rule 0", "rule 1", "rule 1", "rule 1", "rule 2"]


def test_it_is_left_alone_for_as_long_as_it_asks(hooks, deliver):
    hooks.plan = [{"do": 429, "headers": {"Retry-After": "0.2"}}]
    assert deliver(Slack(hooks.url)) == Deliveries(sent=1)
    first, second = hooks.posts
    assert second.at - first.at >= 0.2


def test_a_receiver_that_hangs_is_given_up(hooks, deliver):
    hooks.plan = [{"do": "hang"}]
    assert deliver(Webhook(hooks.url, timeout=0.2)) == Deliveries(sent=1)
    assert len(hooks.posts) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(hooks, deliver, status):
    hooks.plan = [{"do": status, "headers": {"Location": hooks.url}}]
    assert deliver(Webhook(hooks.url)) == Deliveries(lost=1)
    assert len(hooks.posts) == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [("no_service", "404 no_service"), (f"Cannot POST {SECRET}", "404"), ("Zq9secretQ", "404")],
)
def test_what_is_refused_is_lost_and_of_the_answer_a_code_alone_is_told(
    hooks, deliver, caplog, said, told
):
    hooks.plan = [{"do": 404, "said": said}]
    assert deliver(Slack(hooks.url), 2) == Deliveries(sent=1, lost=1)
    [logged] = caplog.messages
    assert logged.startswith(
        f"An alert for <Slack at {hooks.host}> is lost (<Slack at {hooks.host}> answered {told}): "
    )


def test_nothing_that_is_logged_or_raised_has_the_address(hooks, deliver, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    down = Webhook(hooks.url.replace(hooks.host, "127.0.0.1:1"))
    for trouble in (500, 404, 302, "reset", "garbage", "hang"):
        hooks.plan = [{"do": trouble, "said": SECRET}] * 20
        webhook = Webhook(hooks.url, timeout=0.1 if trouble == "hang" else 10)
        with pytest.raises(AlertNotTakenError) as told:
            webhook.send(alert())
        assert "secret" not in repr(told.value)
        assert told.value.__cause__ is None
        assert deliver(webhook) == Deliveries(lost=1)
    assert deliver(down) == Deliveries(lost=1)
    assert "can't be reached (ConnectionRefusedError)" in caplog.text
    assert "secret" not in caplog.text.lower()
    assert "secret" not in "".join(capfd.readouterr()).lower()


def test_the_proxy_that_the_environment_names_is_used(hooks, deliver, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{hooks.host}")
    monkeypatch.setenv("no_proxy", "")
    assert deliver(Webhook("http://hooks.invalid/x")) == Deliveries(sent=1)
    assert hooks.posts[0].path == "http://hooks.invalid/x"


def run(what, hooks):
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, PROGRAMS, what, hooks.url],
        capture_output=True,
        check=True,
        text=True,
        env=environment,
        timeout=50,
    )
    assert done.stderr == ""
    return sorted(post.body["run"]["name"] for post in hooks.posts)


def test_what_waits_is_sent_when_the_program_ends(hooks):
    hooks.plan = [{"do": 503, "headers": {"Retry-After": "0"}}]
    assert run("ends", hooks) == ["the last", "the last"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize(
    ("what", "wanted"), [("forks", ["child", "parent"]), ("multiplies", ["worker"])]
)
def test_a_forks_child_tells_of_its_own_runs_alone(hooks, what, wanted):
    assert run(what, hooks) == wanted
