"""What the tests of alerts share: a handler whose alerts are kept, and a clock that is moved."""

from datetime import timedelta
from uuid import uuid4

from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.integrations.alerts import Alert, AlertCallbackHandler, ErrorCount
from callboard.testing import StepClock
from tests.unit.integrations.scenes import PRICES, answer, manager_of

QUICK = Pace(backoff=Backoff(0.001, 0.002))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = StepClock()()

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


class Kept:
    """A handler, and the alerts that it has sent."""

    def __init__(self, rules, clock, **options):
        self.alerts = []
        self.seen = 0
        self.clock = clock
        self.handler = AlertCallbackHandler(
            rules, self.alerts.append, **{"prices": PRICES, **options}
        )

    def run(self, error=None, *, seconds=0.0, name="agent", type="chain", tags=()):
        """Have a run end, after so many seconds; return the alerts that come of it."""
        manager = manager_of(self.handler, tags=tags)
        if type == "tool":
            run = manager.on_tool_start(None, "x", name=name)
        else:
            run = manager.on_chain_start(None, {}, name=name)
        self.clock.move(seconds)
        if error is not None:
            (run.on_tool_error if type == "tool" else run.on_chain_error)(error)
        elif type == "tool":
            run.on_tool_end("y")
        else:
            run.on_chain_end({})
        return self.told()

    def fail(self, **options):
        return self.run(ValueError("no leaves"), **options)

    def ask(self, parent=None, *, model="gpt-5", before_token=0.0, tokens=True):
        """Have a model answer for 140 dollars."""
        manager = manager_of(self.handler, ls_model_name=model) if parent is None else parent
        [run] = manager.on_chat_model_start(None, [[("user", "?")]], name="chat")
        self.clock.move(before_token)
        if tokens:
            run.on_llm_new_token("Tea.")
        run.on_llm_end(answer(model=model))
        return self.told()

    def judge(self, score, key="helpful", run_id=None, **options):
        self.handler.feedback(run_id or uuid4(), key, score, **options)
        return self.told()

    def told(self):
        """Return the states of the alerts since the last time."""
        self.handler.flush(20)
        told = [each.state for each in self.alerts[self.seen :]]
        self.seen = len(self.alerts)
        return told


def alert(number=1, **options):
    """An alert of its own."""
    now = StepClock()()
    return Alert(
        **{
            "id": uuid4(),
            "state": "firing",
            "rule": ErrorCount(name=f"rule {number}"),
            "value": float(number),
            "count": number,
            "at": now,
            "since": now,
            **options,
        }
    )
