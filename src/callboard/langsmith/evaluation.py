"""The tracer that has traces evaluated as they end, beside the application."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from callboard.errors import BadEvaluationError, BadOptionError
from callboard.langsmith import settings
from callboard.langsmith.context import tracing_v2_enabled
from callboard.langsmith.tracer import LangChainTracer
from callboard.payloads import Payload, field
from callboard.tracing.base import BaseTracer
from callboard.tracing.run import Run

__all__ = ["EvaluatorCallbackHandler", "wait_for_all_evaluators"]

logger = logging.getLogger(__name__)

Evaluator: TypeAlias = Any
"""Has ``evaluate_run(run, example=...)``, as LangSmith's evaluators, or is such a function."""

_handlers: weakref.WeakSet[EvaluatorCallbackHandler] = weakref.WeakSet()


def wait_for_all_evaluators() -> None:
    """Wait until whatever has been given to evaluators, by any handler, is evaluated."""
    for handler in list(_handlers):
        handler.wait_for_futures()


class EvaluatorCallbackHandler(BaseTracer):
    """Gives each trace that ends to evaluators, in threads of their own.

    What they find is kept in `logged_eval_results`, and sent as feedback if there is a client.
    What an evaluator raises is logged.

    Attributes:
        evaluators: What evaluates.
        client: The ``langsmith.Client`` that feedback and the evaluators' traces go through,
            and reference examples come from; None for none.
        example_id: The dataset example that the traces are said to run, if any.
        skip_unfinished: Whether traces that failed or returned nothing are not evaluated.
        project_name: The project that the evaluators' own traces belong to.
        executor: The threads; None if whoever ends a trace waits for its evaluation.
        futures: Evaluations that are not done.
        logged_eval_results: Results, by the ids of run and example as text. They stay: take out
            what you have read if traces keep coming.
    """

    name: str = "evaluator_callback_handler"

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        client: Any | None = None,
        example_id: UUID | str | None = None,
        skip_unfinished: bool = True,
        project_name: str | None = "evaluators",
        max_concurrency: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a handler.

        Args:
            evaluators: What evaluates: LangSmith's evaluators, or functions of a run that take
                an ``example`` too and return a result, or a dictionary with ``results``.
            client: See above.
            example_id: See above.
            skip_unfinished: See above.
            project_name: See above.
            max_concurrency: How many evaluations may go on at once; 0 for each in the thread
                that ends the trace, None for as many as there are threads in a shared pool.
            **kwargs: See `TracerCore`.

        Raises:
            BadOptionError: `max_concurrency` is negative.
        """
        super().__init__(**kwargs)
        self.evaluators = evaluators
        self.client = client
        self.example_id = UUID(example_id) if isinstance(example_id, str) else example_id
        self.skip_unfinished = skip_unfinished
        self.project_name = project_name
        self.executor = self._threads(max_concurrency)
        self.futures: set[Future[None]] = set()
        self.logged_eval_results: dict[tuple[str, str], list[Payload]] = {}
        _handlers.add(self)

    def _threads(self, max_concurrency: int | None) -> ThreadPoolExecutor | None:
        if max_concurrency is None:
            return _shared_threads()
        if max_concurrency < 0:
            raise BadOptionError(
                f"max_concurrency takes a number from 0 on, or None, and got {max_concurrency}."
            )
        if max_concurrency == 0:
            return None
        threads = ThreadPoolExecutor(max_concurrency, thread_name_prefix="callboard-evaluators")
        # Not waited for: whoever happens to collect the garbage is not to be held up.
        weakref.finalize(self, threads.shutdown, wait=False)
        return threads

    def _persist_run(self, run: Run) -> None:
        if self.skip_unfinished and (run.error is not None or not run.outputs):
            logger.debug("Run %s has failed or returned nothing, so it is not evaluated.", run.id)
            return
        run = run.copy({"reference_example_id": self.example_id})
        for evaluator in self.evaluators:
            if self.executor is None:
                self._evaluate(run, evaluator)
            else:
                self._submit(self.executor, run, evaluator)

    def _submit(self, threads: ThreadPoolExecutor, run: Run, evaluator: Evaluator) -> None:
        future = threads.submit(self._evaluate, run, evaluator)
        self.futures.add(future)
        future.add_done_callback(self.futures.discard)

    def wait_for_futures(self) -> None:
        """Wait until whatever has been given to evaluators is evaluated."""
        self.futures -= wait(self.futures.copy()).done

    def _evaluate(self, run: Run, evaluator: Evaluator) -> None:
        """Evaluate a trace, and keep what comes of it; log what goes wrong."""
        try:
            with self._traced() as tracer:
                evaluate: Any = getattr(evaluator, "evaluate_run", evaluator)
                results = _results_in(evaluate(run, example=self._example_of(run)))
            made_by = tracer.latest_run.id if tracer is not None and tracer.latest_run else None
            self._send(results, run, made_by)
            self._keep(results, run)
        except Exception:
            logger.exception("Run %s can't be evaluated by %r", run.id, evaluator)

    def _traced(self) -> AbstractContextManager[LangChainTracer | None]:
        """Have the evaluator traced, if there is anywhere for the trace to go."""
        if self.client is None and not settings.tracing_enabled():
            return nullcontext()
        return tracing_v2_enabled(self.project_name, tags=["eval"], client=self.client)

    def _example_of(self, run: Run) -> Any:
        if self.client is None or run.reference_example_id is None:
            return None
        return self.client.read_example(run.reference_example_id)

    def _send(self, results: Sequence[Payload], run: Run, made_by: UUID | None) -> None:
        if self.client is None:
            return
        for result in results:
            self.client.create_feedback(
                field(result, "target_run_id") or run.id,
                field(result, "key"),
                score=field(result, "score"),
                value=field(result, "value"),
                comment=field(result, "comment"),
                correction=field(result, "correction"),
                source_info=dict(field(result, "evaluator_info") or {}),
                source_run_id=field(result, "source_run_id") or made_by,
                feedback_source_type="model",
            )

    def _keep(self, results: Sequence[Payload], run: Run) -> None:
        for result in results:
            run_id = str(field(result, "target_run_id") or run.id)
            key = (run_id, str(run.reference_example_id))
            self.logged_eval_results.setdefault(key, []).append(result)


@cache
def _shared_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="callboard-evaluators")


def _results_in(found: Payload) -> list[Payload]:
    """Return the results of an evaluation: several, under ``results``, or one, with a key."""
    if isinstance(found, Mapping) and "results" in found:
        return list(found["results"])
    if field(found, "key") is not None:
        return [found]
    raise BadEvaluationError(
        f"An evaluator must return a result, with a key, or a dictionary with results; this one "
        f"returned {found!r}."
    )
