"""Alerts: which rule is broken when, by which runs, and what is told of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from callboard import ids
from callboard.callbacks import AsyncCallbackManager
from callboard.clock import clock_from
from callboard.errors import BadOptionError
from callboard.integrations import RunRecord
from callboard.integrations.alerts import (
    AlertCallbackHandler,
    Cost,
    ErrorCount,
    ErrorRate,
    FeedbackScore,
    Latency,
    Rule,
    RunCost,
    Slack,
    TimeToFirstToken,
    Webhook,
)
from callboard.integrations.alerts.slack import slack_message
from callboard.redaction import Redaction
from callboard.tracing.run import Run
from tests.unit.integrations.alerting import Clock, Kept, alert
from tests.unit.integrations.scenes import manager_of

FAILS = ErrorCount(window=60, cooldown=0)


@pytest.fixture
def made():
    """Makes handlers whose clock is moved by the test."""
    clock = Clock()
    with clock_from(clock):
        yield lambda rules, **options: Kept(rules, clock, **options)


# --- When -------------------------------------------------------------------------------------


def test_an_alert_is_sent_when_it_begins_and_when_it_is_over_and_not_between(made):
    kept = made(FAILS)
    assert kept.run() == []
    assert kept.fail() == ["firing"]
    assert [kept.fail() for _ in range(5)] == [[]] * 5
    kept.clock.move(30)
    assert kept.run() == []
    kept.clock.move(31)
    assert kept.run() == ["resolved"]
    assert kept.run() == []
    assert kept.alerts[0].id == kept.alerts[1].id
    assert kept.alerts[0].example.error_type == "ValueError"
    assert kept.alerts[1].example is None
    assert kept.fail() == ["firing"]
    assert kept.alerts[2].id != kept.alerts[0].id


def test_a_reminder_comes_when_it_was_asked_for(made):
    kept = made(ErrorCount(window=60, remind_every=20))
    told = []
    for _ in range(6):
        told.append(kept.fail())
        kept.clock.move(10)
    assert told == [["firing"], [], ["reminder"], [], ["reminder"], []]


def test_after_its_end_nothing_is_said_for_a_while(made):
    kept = made(ErrorCount(window=10, cooldown=100))
    assert kept.fail() == ["firing"]
    kept.clock.move(11)
    assert kept.run() == ["resolved"]
    for _ in range(9):  # It flaps.
        assert kept.fail() == kept.run() == []
        kept.clock.move(11)
    # What goes on then is told then.
    assert kept.fail() == []
    kept.clock.move(2)
    assert kept.run() == ["firing"]


def test_too_few_runs_say_nothing_until_it_has_begun(made):
    kept = made(ErrorRate(above=0.5, window=60, min_count=3))
    assert kept.fail() == kept.fail() == []
    assert kept.fail() == ["firing"]
    # Few failing runs are no recovery: nobody comes any more, for all that comes fails.
    kept.clock.move(61)
    assert kept.fail() == []
    assert kept.run() == ["resolved"]


def test_by_time_alone_it_is_over_and_never_begins(made):
    kept = made(FAILS)
    kept.fail()
    kept.clock.move(30)
    kept.handler.advance()
    assert kept.told() == []
    kept.handler.advance(kept.clock() + timedelta(seconds=31))
    assert kept.told() == ["resolved"]
    kept.handler.advance(kept.clock() + timedelta(days=1))
    assert kept.told() == []
    assert kept.alerts[-1].text == (
        "Number of errors: no runs in the last 60 s; it was above 0 for 61 s."
    )


def test_runs_that_are_not_watched_move_the_time_on(made):
    kept = made(ErrorCount(window=60, names="agent"))
    kept.fail()
    kept.clock.move(61)
    assert kept.run(name="another") == ["resolved"]


def test_a_clock_that_is_set_back_does_not_make_it_blind(made):
    kept = made(FAILS)
    kept.run()
    kept.clock.move(-3_600)
    assert [kept.fail() for _ in range(19)] == [[]] * 19
    assert kept.fail() == ["firing"]
    kept.clock.move(61)
    assert kept.run() == ["resolved"]


def test_a_clock_that_is_set_back_ends_no_cooldown_later(made):
    kept = made(ErrorCount(window=60, cooldown=300))
    kept.fail()
    kept.clock.move(61)
    assert kept.run() == ["resolved"]
    kept.clock.move(-3_600)
    assert [kept.fail() for _ in range(20)][-1] == ["firing"]


def test_times_are_those_of_the_records_so_that_what_is_stored_can_be_told_again():
    kept = Kept(ErrorRate(above=0.1, min_count=1), Clock())
    began = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    for seconds, error in ((0, None), (10, "ValueError()"), (900, None)):
        record = RunRecord(Run(id=ids.new_id(), name="stored", start_time=began), None)
        record.end_time = began + timedelta(seconds=seconds)
        record.status = "ok" if error is None else "error"
        kept.handler.run_ended(record)
    assert kept.told() == ["firing", "resolved"]
    assert [each.at for each in kept.alerts] == [
        began + timedelta(seconds=10),
        began + timedelta(seconds=900),
    ]


def test_runs_in_threads_and_tasks_make_one_alert(made):
    kept = made(ErrorRate(above=0.4, min_count=100))

    def fail(number):
        run = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
        run.on_chain_error(ValueError()) if number % 2 else run.on_chain_end({})

    async def afail(number):
        manager = manager_of(kept.handler, kind=AsyncCallbackManager)
        run = await manager.on_chain_start(None, {}, name="agent")
        await asyncio.sleep(0)
        await (run.on_chain_error(ValueError()) if number % 2 else run.on_chain_end({}))

    async def work():
        await asyncio.gather(*map(afail, range(50)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(200)))
    asyncio.run(work())
    assert kept.told() == ["firing"]


def test_one_rule_may_be_given_to_several_handlers(made):
    one, other = made(FAILS), made(FAILS)
    assert one.fail() == ["firing"]
    assert other.run() == []
    assert other.fail() == ["firing"]


# --- What -------------------------------------------------------------------------------------


def test_the_error_rate_is_that_of_the_runs_that_are_chosen(made):
    kept = made(ErrorRate(above=0.25, min_count=4, names=["agent"], root_only=True))
    for _ in range(3):
        assert kept.fail(name="another") == []
    for _ in range(3):
        assert kept.run() == []
    assert kept.fail() == []  # A quarter is not above a quarter.
    assert kept.fail() == ["firing"]
    told = kept.alerts[0]
    assert (told.value, told.count) == (0.4, 5)
    assert told.text == ("Error rate of agent: 40% in the last 5 min (5 runs), which is above 25%.")


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({}, 4),
        ({"names": "search"}, 1),
        ({"names": ["search", "agent"]}, 3),
        ({"types": "tool"}, 2),
        ({"tags": ["x", "y"]}, 1),
        ({"root_only": True}, 2),
        ({"types": "tool", "names": "agent"}, 0),
    ],
)
def test_rules_choose_runs_by_name_type_tags_and_place(made, choice, wanted):
    kept = made(ErrorCount(above=-1, remind_every=0, **choice))
    root = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
    inner = root.get_child("x")
    inner.on_tool_start(None, "x", name="search").on_tool_end("")
    root.get_child().on_tool_start(None, "x", name="find").on_tool_end("")
    root.on_chain_end({})
    kept.run(tags=["z"])
    assert len(kept.alerts) == wanted


def test_who_cancels_or_is_waited_for_has_not_failed(made):
    interrupt = type("GraphInterrupt", (Exception,), {})
    kept = made(FAILS)
    for error in (asyncio.CancelledError(), GeneratorExit(), interrupt()):
        assert kept.run(error) == []
    assert made(ErrorCount(ignored_errors=())).run(asyncio.CancelledError()) == ["firing"]
    assert made(ErrorCount(ignored_errors=["ValueError"])).fail() == []


def test_a_run_whose_end_does_not_come_is_not_measured(made):
    kept = made([FAILS, Latency(above=1, statistic="worst")])
    manager_of(kept.handler).on_chain_start(None, {}, name="agent")
    kept.clock.move(60)
    kept.handler.close()
    assert kept.alerts == []


@pytest.mark.parametrize(
    ("statistic", "above", "wanted"),
    [("worst", 1.5, 1), ("average", 1.5, 1), ("p90", 1.5, 3), ("p50", 1.5, 19), ("total", 40, 2)],
)
def test_a_latency_is_the_worst_the_average_the_total_or_a_percentile(
    made, statistic, above, wanted
):
    kept = made(Latency(above=above, statistic=statistic))
    for _ in range(18):
        assert kept.run(seconds=1) == []
    slow = next(number for number in range(1, 30) if kept.run(seconds=12))
    assert slow == wanted


def test_a_percentile_is_told_to_a_hundredth(made):
    kept = made(Latency(above=10, names="agent"))
    for _ in range(19):
        kept.run(seconds=1)
    for _ in range(2):
        kept.run(seconds=12)
    [told] = kept.alerts
    assert told.value == pytest.approx(12, rel=0.01)
    assert told.text.startswith("P95 latency of agent: 1")
    assert told.text.endswith(" s in the last 5 min (21 runs), which is above 10 s.")


def test_the_time_to_the_first_token_is_that_of_what_streams(made):
    kept = made(TimeToFirstToken(above=2, statistic="average"))
    assert kept.ask(before_token=9, tokens=False) == []
    assert kept.ask(before_token=1) == []
    assert kept.ask(before_token=4) == ["firing"]
    assert kept.alerts[0].value == 2.5
    assert kept.alerts[0].example.type == "chat_model"


def test_costs_are_those_of_model_calls_in_the_window(made):
    kept = made(Cost(above=300, window=60))
    assert kept.ask() == kept.ask() == []
    kept.clock.move(61)
    assert kept.ask() == kept.ask() == []
    assert kept.ask() == ["firing"]
    assert kept.alerts[0].text == "Cost: $420 in the last 60 s (3 runs), which is above $300."


def test_a_run_costs_what_all_inside_it_cost(made):
    kept = made(RunCost(above=300))
    for calls, told in ((2, []), (3, ["firing"])):
        root = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
        step = root.get_child().on_chain_start(None, {}, name="step")
        kept.ask(root.get_child())
        for _ in range(calls - 1):
            kept.ask(step.get_child())
        step.on_chain_end({})
        root.on_chain_end({})
        assert kept.told() == told
    assert kept.alerts[0].value == 420
    assert kept.alerts[0].example.name == "agent"


def test_what_a_late_child_costs_counts_for_what_still_runs(made):
    kept = made(RunCost(above=100))
    root = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
    step = root.get_child().on_chain_start(None, {}, name="step")
    late = step.get_child()
    step.on_chain_end({})
    assert kept.ask(late) == []
    root.on_chain_end({})
    assert kept.told() == ["firing"]


def test_a_price_that_is_not_known_is_said_once_and_is_not_nothing(made, caplog):
    kept = made([Cost(above=0), RunCost(above=0)])
    kept.ask(model="claude-9")
    kept.ask(model="claude-9")
    assert kept.alerts == []
    [logged] = caplog.messages
    assert logged.startswith("What claude-9 costs is not known")


def test_a_rule_of_ones_own_measures_what_it_likes(made, caplog):
    class Tokens(Rule):
        label = "tokens"

        def measure(self, record):
            return record.tokens and record.tokens.total

    class Broken(Rule):
        def measure(self, record):
            raise KeyError("x")

    class Endless(Rule):
        def measure(self, record):
            return float("inf")

    rules = [Broken(above=1), Endless(above=1), Tokens(above=200, statistic="total")]
    kept = made(rules)
    assert kept.ask() == []
    assert kept.ask() == ["firing"]
    assert kept.alerts[0].text == "Tokens: 240 in the last 5 min (2 runs), which is above 200."
    assert len(caplog.messages) == 1


# --- Feedback ---------------------------------------------------------------------------------


def test_one_bad_score_or_a_bad_average_is_told(made):
    kept = made(
        [
            FeedbackScore(key="helpful", below=0.2, statistic="worst", name="one"),
            FeedbackScore(key="helpful", below=0.5, min_count=3, name="all"),
        ]
    )
    assert kept.judge(0.9) == kept.judge(0.4) == []
    assert kept.judge(0.0, key="polite") == []
    assert kept.judge(0.1) == ["firing", "firing"]
    assert [each.rule.name for each in kept.alerts] == ["one", "all"]
    assert kept.alerts[1].value == pytest.approx(1.4 / 3)
    assert [kept.judge(1) for _ in range(2)] == [["resolved"], []]


def test_a_score_may_be_bad_because_it_is_high(made):
    kept = made(FeedbackScore(key="toxic", above=0.5, statistic="worst"))
    assert kept.judge(0.2, "toxic") == []
    assert kept.judge(True, "toxic", comment="rude") == ["firing"]
    told = kept.alerts[0]
    assert told.example.comment == "rude"
    assert told.text == (
        "Worst score for toxic: 1 in the last 60 min (2 scores), which is above 0.5."
    )


def test_feedback_knows_the_run_that_it_is_for_if_it_has_not_ended_long_ago(made):
    kept = made(FeedbackScore(key="helpful", below=0.5, names="agent", remind_every=0))
    run = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
    assert kept.judge(0, run_id=run.run_id) == ["firing"]
    run.on_chain_end({})
    kept.judge(0, run_id=str(run.run_id))
    assert kept.judge(0) == []  # Nobody knows its name.
    assert {each.example.name for each in kept.alerts} == {"agent"}


def test_feedback_for_a_run_that_nobody_knows_counts_where_no_runs_are_chosen(made):
    kept = made(FeedbackScore(key="helpful", below=0.5))
    unknown = uuid4()
    assert kept.judge(0, run_id=unknown) == ["firing"]
    assert kept.alerts[0].as_dict()["run"] == {"id": str(unknown)}


def test_feedback_has_a_time_of_its_own_if_it_is_told(made):
    kept = made(FeedbackScore(key="helpful", below=0.5))
    then = datetime(2020, 1, 1, tzinfo=UTC)
    kept.judge(0, at=then)
    assert kept.alerts[0].at == then


def test_feedback_without_a_number_is_no_score(made):
    kept = made(FeedbackScore(key="helpful", below=0.5))
    assert kept.judge(None) == kept.judge(float("nan")) == kept.judge("bad") == []
    assert kept.judge("0.1") == ["firing"]


def test_feedback_for_no_run_or_at_no_moment_is_refused(made):
    kept = made(FeedbackScore(key="helpful", below=0.5))
    with pytest.raises(BadOptionError, match=r"^Feedback is for the run 'x'; it takes the id"):
        kept.judge(1, run_id="x")
    naive = kept.clock().replace(tzinfo=None)
    for act in (lambda: kept.judge(1, at=naive), lambda: kept.handler.advance(naive)):
        with pytest.raises(BadOptionError, match=r"^The moment 2025-01-01 00:00:00 has no time"):
            act()


# --- What is told -----------------------------------------------------------------------------


def test_an_alert_tells_what_is_wrong_and_of_a_run_that_shows_it(made):
    kept = made(ErrorCount(window=3_600, names=["agent"]))
    kept.fail(seconds=2)
    kept.fail(name="another")
    [told] = kept.alerts
    run_id = told.example.id
    assert told.as_dict() == {
        "id": str(told.id),
        "state": "firing",
        "text": "Number of errors of agent: 1 in the last 60 min (1 run), which is above 0.",
        "rule": "number of errors of agent",
        "metric": "errors",
        "statistic": "total",
        "value": 1.0,
        "above": 0,
        "window_seconds": 3_600,
        "count": 1,
        "at": "2025-01-01T00:00:02+00:00",
        "since": "2025-01-01T00:00:02+00:00",
        "run": {
            "id": str(run_id),
            "trace_id": str(run_id),
            "name": "agent",
            "type": "chain",
            "error_type": "ValueError",
            "error_message": "ValueError: no leaves",
        },
    }


def test_what_a_run_says_is_redacted_and_cut(made):
    mail = "ada@example.com"
    kept = made([ErrorCount(), FeedbackScore(key="x", below=1)], redaction=Redaction("emails"))
    kept.run(ValueError(f"{mail} {'x' * 5_000}"), name=f"to {mail}")
    kept.judge(0, "x", comment=f"ask {mail}")
    assert len(kept.alerts) == 2
    assert mail not in repr(kept.alerts)
    assert kept.alerts[0].example.error_message.startswith("ValueError: <email> xxx")
    assert len(kept.alerts[0].example.error_message) == 1_000
    assert kept.alerts[1].example.comment == "ask <email>"


def test_without_content_the_class_of_an_error_is_told_and_no_comment(made):
    kept = made([ErrorCount(), FeedbackScore(key="x", below=1)], redaction=Redaction(content=False))
    kept.fail()
    kept.judge(0, "x", comment="a secret")
    assert kept.alerts[0].example.error_type == "ValueError"
    assert "no leaves" not in repr(kept.alerts)
    assert "a secret" not in repr(kept.alerts)


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("https://board.example/r/{run_id}?t={trace_id}", "https://board.example/r/{0}?t={0}"),
        (lambda example: f"https://x/{example.name}", "https://x/agent"),
        (lambda example: None, None),
    ],
)
def test_an_alert_has_a_link_if_one_was_asked_for(made, link, wanted):
    kept = made(FAILS, link=link)
    kept.fail()
    [told] = kept.alerts
    assert told.link == (wanted and wanted.format(told.example.id))


def test_a_link_that_fails_is_left_out_and_said_once(made, caplog):
    kept = made(ErrorCount(remind_every=0), link=lambda example: {}["x"])
    kept.fail()
    assert kept.fail() == ["reminder"]
    assert [each.link for each in kept.alerts] == [None, None]
    assert caplog.messages == ["Alerts have no link, for making it raised KeyError('x')."]


def test_slack_is_told_in_blocks_whose_texts_are_escaped(made):
    kept = made(ErrorCount(name="errors <here> & there"), link="https://x/?a=1&b={run_id}|>")
    kept.run(ValueError("<!channel> & ```more```"), name="a|b<c>")
    told = kept.alerts[0]
    message = slack_message(told)
    assert message["text"].startswith("firing: Errors &lt;here&gt; &amp; there: 1 in the last")
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds == ["header", "section", "section", "section", "section", "context"]
    header, _, fields, example, error, _ = message["blocks"]
    assert header["text"] == {
        "type": "plain_text",
        "text": ":red_circle: Errors <here> & there",
        "emoji": True,
    }
    assert [each["text"].partition("\n")[0] for each in fields["fields"]] == [
        "*Value*",
        "*Limit*",
        "*Runs*",
        "*Since*",
    ]
    run_id = told.example.id
    assert example["text"]["text"] == (
        f"*For example* <https://x/?a=1&amp;b={run_id}%7C%3E|a¦b&lt;c&gt;> `{run_id}`"
    )
    assert error["text"]["text"] == "```ValueError: &lt;!channel&gt; &amp; '''more'''```"


def test_slack_is_told_no_more_than_it_takes(made):
    kept = made(ErrorCount(name="n" * 400))
    kept.run(ValueError("&" * 5_000), name="<" * 2_000)
    message = slack_message(kept.alerts[0])
    assert len(message["blocks"][0]["text"]["text"]) == 150
    for block in message["blocks"][1:]:
        if "text" in block:
            text = block["text"]["text"]
            assert len(text) <= 3_000
            assert "&" not in text.replace("&amp;", "").replace("&lt;", "")
            assert text.count("```") in {0, 2}


def test_slack_is_told_of_an_end_in_three_blocks():
    told = slack_message(alert(state="resolved", value=None, count=0))
    assert [block["type"] for block in told["blocks"]] == ["header", "section", "context"]
    assert told["text"].startswith("resolved: Rule 1: no runs in the last 5 min; it was above 0")


# --- What makes no sense ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (ErrorRate, "ErrorRate needs a limit: above."),
        (lambda: FeedbackScore(key="x"), "FeedbackScore needs a limit: above or below, and not"),
        (lambda: FeedbackScore(key="x", above=1, below=1), "FeedbackScore needs a limit: above or"),
        (lambda: ErrorRate(above=10), "ErrorRate has above=10; it takes a share from 0 up to 1"),
        (lambda: Latency(above=float("nan")), "Latency has the limit nan; it takes a number."),
        (lambda: Latency(above=1, window=0), "Latency has window=0; it takes seconds"),
        (lambda: Latency(above=1, min_count=0), "Latency has min_count=0; it takes a number from"),
        (lambda: Latency(above=1, cooldown=-1), "Latency has cooldown=-1; it takes a number from"),
        (lambda: Latency(above=1, remind_every=-1), "Latency has remind_every=-1; it takes"),
        (lambda: Latency(above=1, statistic="mean"), "There is no statistic 'mean'; accepted are"),
        (lambda: Latency(above=1, statistic="p100"), "There is no statistic 'p100'; accepted"),
        (lambda: Latency(above=1, statistic="p0"), "There is no statistic 'p0'; accepted are"),
        (lambda: Latency(above=0), "Latency has statistic='p95'; a percentile takes a limit above"),
        (lambda: Latency(above=1, names=[1]), "Latency has names=[1]; it takes a text, or a list"),
        (lambda: AlertCallbackHandler([], print), "Alerts need rules, such as ErrorRate"),
        (
            lambda: AlertCallbackHandler(["x"], print),
            "Alerts need rules, such as Err",
        ),
        (lambda: AlertCallbackHandler(FAILS, []), "Alerts need somewhere to go: a Webhook"),
        (lambda: AlertCallbackHandler(FAILS, 5), "Alerts can't be sent to 5; it takes a Webhook"),
        (lambda: AlertCallbackHandler(FAILS, print, max_waiting=0), "max_waiting is 0; it takes"),
        (lambda: AlertCallbackHandler(FAILS, print, exit_timeout=-1), "exit_timeout is -1; it"),
        (lambda: AlertCallbackHandler(FAILS, print, link=5), "link is 5; it takes a text or"),
        (lambda: AlertCallbackHandler(FAILS, print, link="{id}"), "link is '{id}'; of places, it"),
        (lambda: Webhook("https://x", timeout=0), "timeout is 0; it takes seconds, more than 0."),
        (lambda: Webhook("https://x", headers={"a": "b\n"}), "The header a has a line break or"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(BadOptionError) as told:
        make()
    assert str(told.value).startswith(sentence)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "hooks.slack.com/services/SECRET",
        "ftp://x/SECRET",
        "https:///SECRET",
        "https://user:SECRET@x/",
        "https://x/SECRET\n",
        "https://x/SECRET é",
        "https://x:port/SECRET",
        "https://[x/SECRET",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(address):
    for make in (Webhook, Slack, lambda url: AlertCallbackHandler(FAILS, url)):
        with pytest.raises(BadOptionError) as told:
            make(address)
        assert "SECRET" not in str(told.value)
        assert told.value.__cause__ is None


def test_of_an_address_the_host_alone_is_shown():
    assert repr(Slack("https://hooks.slack.com/SECRET?key=SECRET")) == "<Slack at hooks.slack.com>"
    assert repr(Webhook("http://127.0.0.1:8080/SECRET")) == "<Webhook at 127.0.0.1:8080>"


def test_what_a_handler_holds_does_not_grow_with_what_it_hears(made):
    kept = made([ErrorRate(above=0.9), Latency(above=5), Cost(above=1e9), RunCost(above=1e9)])
    for _ in range(2_000):
        run = manager_of(kept.handler).on_chain_start(None, {}, name="agent")
        kept.clock.move(1)
        run.on_chain_end({})
    for watch in kept.handler._watches:
        assert len(watch._window._steps) <= 60
    assert kept.alerts == []
