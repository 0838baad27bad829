"""A run that has ended before its start was sent is sent once; whatever comes between, whole."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from callboard.callbacks import CallbackManager
from callboard.export import Exporter, MemorySink
from callboard.langsmith.tracer import LangChainTracer
from callboard.wire.operations import Operation, merge

RUNS = 4
STEPS = st.lists(
    st.sampled_from(
        ["flush", "seal", *((step, at) for step in ("start", "end") for at in range(RUNS))]
    ),
    max_size=20,
)


class Program:
    """Starts and ends runs as it is told, each once."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        self.exporter = Exporter(self.sink, linger=60)
        self.manager = CallbackManager([LangChainTracer(destination=self.exporter)])
        self.running: dict[int, object] = {}
        self.started: dict[int, UUID] = {}
        self.ended: set[int] = set()
        self.waiting: set[int] = set()
        self.told_once: set[int] = set()

    def do(self, step) -> None:
        if step == "flush":
            assert self.exporter.flush(10)
            self.waiting.clear()
        elif step == "seal":
            self.exporter.seal()
            self.waiting.clear()
        else:
            getattr(self, step[0])(step[1])

    def start(self, number: int) -> None:
        if number not in self.started:
            run = self.manager.on_chain_start({}, {"given": number}, name=f"run {number}")
            self.running[number] = run
            self.started[number] = run.run_id
            self.waiting.add(number)

    def end(self, number: int) -> None:
        if run := self.running.pop(number, None):
            if number % 2:
                run.on_chain_error(ValueError(f"{number}"))
            else:
                run.on_chain_end({"returned": number})
            self.ended.add(number)
            if number in self.waiting:
                self.told_once.add(number)


@given(STEPS)
def test_it_is_sent_once_if_it_can_be_and_whole_in_any_case(steps):
    program = Program()
    for step in steps:
        program.do(step)
    assert program.exporter.shutdown(10)
    told: dict[UUID, list[Operation]] = {}
    for operation in program.sink.operations:
        told.setdefault(operation.run_id, []).append(operation)
    assert set(told) == set(program.started.values())
    for number, run_id in program.started.items():
        first, *more = told[run_id]
        kinds = (
            ["create"] if number not in program.ended - program.told_once else ["create", "update"]
        )
        assert [each.kind for each in told[run_id]] == kinds
        whole = first
        for each in more:
            whole = merge(whole, each)
        assert whole.parts["inputs"] == {"given": number}
        if number in program.ended:
            assert whole.head["end_time"] >= whole.head["start_time"]
            said = whole.parts["error"] if number % 2 else whole.parts["outputs"]
            assert (
                (f"ValueError('{number}')" in said) if number % 2 else said == {"returned": number}
            )
        else:
            assert "end_time" not in whole.head
