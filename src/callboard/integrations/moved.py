"""Names that LangChain's handlers had: those that Callboard has not, and those it has elsewhere.

One row a name that is gone: what became of the platform, and what to use. `callboard.integrations`
answers with the row's sentence; the table in the documentation is made of the same rows.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ELSEWHERE", "MOVED", "Moved", "whereabouts"]


class Moved(NamedTuple):
    """What became of a handler.

    Attributes:
        platform: What it sent to.
        state: How that is today.
        instead: What to use in its place.
    """

    platform: str
    state: str
    instead: str

    def sentence(self, name: str) -> str:
        """Return what to tell whoever asks for the handler.

        Args:
            name: The handler's name.
        """
        return f"{name} is not part of Callboard: {self.platform} {self.state}; {self.instead}."


_OTEL = "use OpenTelemetryCallbackHandler"

_AIM = Moved("Aim", "has had no release since May 2025", "use MLflow, or JsonLinesCallbackHandler")
_ARGILLA = Moved(
    "Argilla",
    "is dormant, and version 2 dropped what the handler called",
    "write runs with JsonLinesCallbackHandler and load the file",
)
_ARIZE = Moved(
    "Arize",
    "takes OpenInference spans today",
    f'{_OTEL}(conventions="openinference")',
)
_ARTHUR = Moved("Arthur", "has had no release of its client since February 2025", _OTEL)
_BASE = Moved(
    "The base of the former handlers", "counted all runs together", "derive from RunTreeHandler"
)
_BEDROCK = Moved(
    "Amazon Bedrock",
    "reports tokens like any other provider",
    "use CostCallbackHandler, which prices it",
)
_CHAINLIT = Moved("Chainlit", "has a handler of its own", "use the one in the package chainlit")
_COMET_LLM = Moved("comet-llm", "was replaced by Opik", "use the tracer in the package opik")
_CONFIDENT = Moved(
    "Confident AI", "has a handler of its own", "use the one in the package deepeval"
)
_CONTEXT = Moved("Context", "has shown no sign of life since July 2024", _OTEL)
_DATADOG = Moved("Datadog", "takes OTLP", f"{_OTEL}, or LLMObs in the package ddtrace")
_FIDDLER = Moved("Fiddler", "dropped the API that the handler called", _OTEL)
_FINAL = Moved(
    "The terminal",
    "is written to by StreamingStdOutCallbackHandler",
    "use that, or AsyncFinalIteratorCallbackHandler for what follows a prefix",
)
_FLYTE = Moved("Flyte", "is alive", "write runs with JsonLinesCallbackHandler into a deck")
_INFINO = Moved("Infino", "has shown no sign of life", "use PrometheusCallbackHandler")
_LABEL_STUDIO = Moved(
    "Label Studio", "is alive", "import the file that JsonLinesCallbackHandler writes"
)
_LLMONITOR = Moved("LLMonitor", "is now Lunary", "use the handler in the package lunary")
_OPIK = Moved("Opik", "has a tracer of its own", "use the one in the package opik")
_PANEL = Moved("Panel", "has removed its handler", "derive one from RunTreeHandler")
_PROMPTLAYER = Moved("PromptLayer", "dropped the function that the handler called", _OTEL)
_SAGEMAKER = Moved(
    "SageMaker Experiments",
    "left the package sagemaker with version 3",
    "use MLflow, which AWS hosts",
)
_TRUBRICS = Moved("Trubrics", "dropped the function that the handler called", _OTEL)
_UPSTASH = Moved(
    "Upstash", "is alive", "use RateLimit, with an allowance of your own that asks Upstash"
)
_UPSTASH_ERROR = Moved(
    "Upstash", "is alive", "catch RateLimitError of callboard.errors, which RateLimit raises"
)
_UPTRAIN = Moved(
    "UpTrain", "has had no release since May 2024", "evaluate with evaluators of LangSmith's form"
)
_WEAVE = Moved("Weave", "has a tracer of its own", "use the one in the package weave")
_WHYLABS = Moved("WhyLabs", "is reported to have been shut down", "use PrometheusCallbackHandler")

MOVED: dict[str, Moved] = {
    "AimCallbackHandler": _AIM,
    "ArgillaCallbackHandler": _ARGILLA,
    "ArizeCallbackHandler": _ARIZE,
    "ArthurCallbackHandler": _ARTHUR,
    "AsyncLangchainCallbackHandler": _CHAINLIT,
    "BaseMetadataCallbackHandler": _BASE,
    "BedrockAnthropicTokenUsageCallbackHandler": _BEDROCK,
    "CometTracer": _COMET_LLM,
    "ContextCallbackHandler": _CONTEXT,
    "DatadogCallbackHandler": _DATADOG,
    "DeepEvalCallbackHandler": _CONFIDENT,
    "FiddlerCallbackHandler": _FIDDLER,
    "FinalStreamingStdOutCallbackHandler": _FINAL,
    "FlyteCallbackHandler": _FLYTE,
    "InfinoCallbackHandler": _INFINO,
    "LLMonitorCallbackHandler": _LLMONITOR,
    "LabelStudioCallbackHandler": _LABEL_STUDIO,
    "LangchainCallbackHandler": _CHAINLIT,
    "OpikTracer": _OPIK,
    "PanelCallbackHandler": _PANEL,
    "PromptLayerCallbackHandler": _PROMPTLAYER,
    "SageMakerCallbackHandler": _SAGEMAKER,
    "TrubricsCallbackHandler": _TRUBRICS,
    "UpTrainCallbackHandler": _UPTRAIN,
    "UpstashRatelimitError": _UPSTASH_ERROR,
    "UpstashRatelimitHandler": _UPSTASH,
    "WandbTracer": _WEAVE,
    "WeaveTracer": _WEAVE,
    "WhyLabsCallbackHandler": _WHYLABS,
    "get_bedrock_anthropic_callback": _BEDROCK,
    "wandb_tracing_enabled": _WEAVE,
}
"""What became of each, by name."""

ELSEWHERE = {
    "AsyncFinalIteratorCallbackHandler": "callboard.handlers.token_iterators",
    "AsyncIteratorCallbackHandler": "callboard.handlers.token_iterators",
    "FileCallbackHandler": "callboard.callbacks",
    "LangChainTracer": "callboard.tracers",
    "StdOutCallbackHandler": "callboard.callbacks",
    "StreamingStdOutCallbackHandler": "callboard.callbacks",
    "UsageMetadataCallbackHandler": "callboard.callbacks",
    "collect_runs": "callboard.tracers.context",
    "get_usage_metadata_callback": "callboard.callbacks",
    "tracing_v2_enabled": "callboard.tracers.context",
}
"""Where those are that are no integrations."""


def whereabouts(name: str) -> str | None:
    """Return what to tell whoever looks for a name among the integrations; None of a new one.

    Args:
        name: The name.
    """
    if name in ELSEWHERE:
        return f"{name} is elsewhere: from {ELSEWHERE[name]} import {name}."
    return MOVED[name].sentence(name) if name in MOVED else None
