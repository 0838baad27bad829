"""A program that has the SDK evaluate a runnable, here, and prints what comes of it.

Run with ``callboard`` as its argument it puts Callboard in LangChain's place first.
"""

import sys
import warnings
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

if "callboard" in sys.argv:
    import callboard.langchain

    callboard.langchain.install()

import langsmith
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from langsmith.evaluation import EvaluationResult, StringEvaluator
from langsmith.schemas import Example, Run

warnings.filterwarnings("ignore", message="'upload_results' parameter is in beta")

examples = [
    Example(
        id=UUID(int=number),
        dataset_id=UUID(int=9),
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        inputs={"number": number},
        outputs={"double": 2 * number},
    )
    for number in (1, 2)
]
chain: Any = RunnableLambda(lambda x: {"double": x["number"] + x["number"]}, name="double") | (
    lambda x: x
)


def right(run: Run, example: Example) -> dict[str, Any]:
    assert run.outputs is not None
    assert example.outputs is not None
    return {"key": "right", "score": run.outputs["double"] == example.outputs["double"]}


results = langsmith.evaluate(
    chain, data=examples, evaluators=[right], upload_results=False, experiment_prefix="doubling"
)
for result in results:
    found = result["evaluation_results"]["results"]
    print(result["run"].outputs, [(each.key, each.score) for each in found])

with collect_runs() as collected:
    chain.invoke({"number": 4})
(run,) = collected.traced_runs
print(right(run, examples[0]), run.child_runs[0].name)
judge = StringEvaluator(
    evaluation_name="judge",
    input_key="number",
    prediction_key="double",
    answer_key="double",
    grading_function=lambda question, prediction, answer: {"score": prediction == answer},
)
graded: EvaluationResult = judge.evaluate_run(run, examples[1])
print(graded.score, graded.key)
