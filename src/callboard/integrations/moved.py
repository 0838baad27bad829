"""Handlers that LangChain had and Callboard has not: what became of the platform, and what to use.

One row a handler, by the name that it was imported by. `callboard.integrations` answers with the
row's sentence; the table in the documentation is made of the same rows.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MOVED", "Moved"]


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
_BEDROCK = Moved(
    "Amazon Bedrock",
    "reports tokens like any other provider",
    "use CostCallbackHandler, which prices it",
)
_COMET_LLM = Moved("comet-llm", "was replaced by Opik", "use the tracer in the package opik")
_CONFIDENT = Moved(
    "Confident AI", "has a handler of its own", "use the one in the package deepeval"
)
_CONTEXT = Moved("Context", "has shown no sign of life since July 2024", _OTEL)
_DATADOG = Moved("Datadog", "takes OTLP", f"{_OTEL}, or LLMObs in the package ddtrace")
_FIDDLER = Moved("Fiddler", "dropped the API that the handler called", _OTEL)
_FLYTE = Moved("Flyte", "is alive", "write runs with JsonLinesCallbackHandler into a deck")
_INFINO = Moved("Infino", "has shown no sign of life", "use PrometheusCallbackHandler")
_LABEL_STUDIO = Moved(
    "Label Studio", "is alive", "import the file that JsonLinesCallbackHandler writes"
)
_LLMONITOR = Moved("LLMonitor", "is now Lunary", "use the handler in the package lunary")
_OPIK = Moved("Opik", "has a tracer of its own", "use the one in the package opik")
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
    "BedrockAnthropicTokenUsageCallbackHandler": _BEDROCK,
    "CometTracer": _COMET_LLM,
    "ContextCallbackHandler": _CONTEXT,
    "DatadogCallbackHandler": _DATADOG,
    "DeepEvalCallbackHandler": _CONFIDENT,
    "FiddlerCallbackHandler": _FIDDLER,
    "FlyteCallbackHandler": _FLYTE,
    "InfinoCallbackHandler": _INFINO,
    "LLMonitorCallbackHandler": _LLMONITOR,
    "LabelStudioCallbackHandler": _LABEL_STUDIO,
    "OpikTracer": _OPIK,
    "PromptLayerCallbackHandler": _PROMPTLAYER,
    "SageMakerCallbackHandler": _SAGEMAKER,
    "TrubricsCallbackHandler": _TRUBRICS,
    "UpTrainCallbackHandler": _UPTRAIN,
    "UpstashRatelimitHandler": _UPSTASH,
    "WandbTracer": _WEAVE,
    "WeaveTracer": _WEAVE,
    "WhyLabsCallbackHandler": _WHYLABS,
    "get_bedrock_anthropic_callback": _BEDROCK,
}
"""What became of each, by name."""
