"""What experiment trackers have in common: figures, rows, failures and totals of model calls."""

from callboard.integrations.experiments import ExperimentHandler
from callboard.integrations.names import Names
from callboard.integrations.rows import METRICS, TABLE_COLUMNS
from tests.unit.integrations.scenes import PRICES, ask, manager_of, serve


class Board:
    """A tracker's object."""


class Tracker(ExperimentHandler):
    """Keeps what a tracker would be told."""

    max_rows = 3
    max_text = 40

    def __init__(self, board=None, *, table="calls", **options):
        super().__init__(board, Board, table=table, **options)
        self.ended = []
        self.calls, self.tables, self.failures = [], [], []

    def log_call(self, record, metrics):
        self.calls.append((self._ledger.step("calls"), metrics))

    def log_rows(self, name, rows):
        self.tables.append(rows)

    def log_failure(self, record):
        self.failures.append(record.name)

    def end(self, tracker):
        self.ended.append(tracker)

    @property
    def totals(self):
        return self._ledger.totals()


def test_a_call_is_told_in_figures_under_the_common_names():
    tracker = Tracker(prices=PRICES)
    ask(manager_of(tracker))
    [(step, metrics)] = tracker.calls
    assert step == 0
    assert sorted(metrics) == sorted(METRICS.values())
    assert metrics["llm/cost_usd"] == 140.0


def test_rows_are_logged_when_there_are_many_and_when_they_are_flushed():
    tracker = Tracker()
    for _ in range(4):
        ask(manager_of(tracker))
    assert [len(rows) for rows in tracker.tables] == [3]
    tracker.flush()
    tracker.flush()
    assert [len(rows) for rows in tracker.tables] == [3, 1]


def test_without_a_table_no_row_is_held():
    tracker = Tracker(table=None)
    for _ in range(4):
        ask(manager_of(tracker))
    tracker.flush()
    assert not tracker.tables
    assert len(tracker.calls) == 4


def test_a_row_says_what_was_asked_and_answered_and_a_long_text_is_cut():
    tracker = Tracker()
    ask(manager_of(tracker), "x" * 100)
    tracker.flush()
    [[row]] = tracker.tables
    told = dict(zip(TABLE_COLUMNS, row, strict=True))
    assert told["answer"] == "Tea."
    assert told["tokens"] == 120
    assert told["prompt"].endswith("xxx ... (96 characters more)")


def test_a_failed_call_has_a_row_with_its_error():
    tracker = Tracker()
    [run] = manager_of(tracker).on_chat_model_start(None, [[("user", "x")]], name="c")
    run.on_llm_error(ValueError("busy"))
    tracker.flush()
    [[row]] = tracker.tables
    assert row[TABLE_COLUMNS.index("error")] == "ValueError: busy"
    assert tracker.totals["llm/failed_calls"] == 1


def test_a_failure_is_told_where_it_arose_and_not_for_each_run_around_it():
    tracker = Tracker()
    outer = manager_of(tracker).on_chain_start(None, {}, name="outer")
    inner = outer.get_child().on_chain_start(None, {}, name="inner")
    tool = inner.get_child().on_tool_start(None, "x", name="tool")
    for run in (tool, inner, outer):
        getattr(run, "on_tool_error" if run is tool else "on_chain_error")(ValueError("x"))
    assert tracker.failures == ["tool"]
    assert not tracker._passed_on


def test_a_failure_of_a_runs_own_is_told_though_one_inside_it_was_dealt_with():
    tracker = Tracker()
    outer = manager_of(tracker).on_chain_start(None, {}, name="outer")
    outer.get_child().on_tool_start(None, "x", name="tool").on_tool_error(ValueError("x"))
    outer.on_chain_error(ValueError("y"))
    assert tracker.failures == ["tool", "outer"]


def test_what_a_run_dealt_with_is_forgotten_with_it():
    tracker = Tracker()
    serve(tracker)
    assert tracker.failures == ["search"]
    assert not tracker._passed_on


def test_handlers_on_one_tracker_count_together_and_on_two_apart():
    board = Board()
    trackers = [Tracker(board), Tracker(board), Tracker()]
    for tracker in trackers:
        ask(manager_of(tracker))
    assert [step for tracker in trackers for step, _ in tracker.calls] == [0, 1, 0]
    assert [tracker.totals["llm/calls"] for tracker in trackers] == [2, 2, 1]


def test_what_the_handler_began_is_ended_with_it_once_and_nothing_else():
    for given in (None, Board()):
        tracker = Tracker(given)
        tracker.close()
        tracker.close()
        assert len(tracker.ended) == (given is None)


def test_of_names_the_first_are_told_apart():
    names = Names()
    assert [names.known(each, 2) for each in "abcab"] == ["a", "b", "other", "a", "b"]
