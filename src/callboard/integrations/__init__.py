"""Handlers for monitoring platforms, for people who watch, and for control.

Each is loaded, with the platform's client, when it is asked for; one whose client is missing says
what to install. A handler that LangChain had and Callboard has not says what became of it. All
keep to one contract: `callboard.integrations.base`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard.errors import HumanRejectedException
    from callboard.integrations.alerts import AlertCallbackHandler
    from callboard.integrations.approval import (
        AsyncHumanApprovalCallbackHandler,
        HumanApprovalCallbackHandler,
    )
    from callboard.integrations.approved_tools import approved
    from callboard.integrations.base import RunRecord, RunTreeHandler
    from callboard.integrations.budget import BudgetGuard
    from callboard.integrations.clearml import ClearMLCallbackHandler
    from callboard.integrations.comet import CometCallbackHandler
    from callboard.integrations.costs import (
        CostCallbackHandler,
        OpenAICallbackHandler,
        get_cost_callback,
        get_openai_callback,
    )
    from callboard.integrations.decisions import Approve, Edit, Reject, ToolRequest
    from callboard.integrations.gradio import GradioCallbackHandler
    from callboard.integrations.json_lines import JsonLinesCallbackHandler
    from callboard.integrations.jupyter import JupyterCallbackHandler
    from callboard.integrations.log_records import LoggingCallbackHandler
    from callboard.integrations.mlflow import MlflowCallbackHandler
    from callboard.integrations.opentelemetry import OpenTelemetryCallbackHandler
    from callboard.integrations.progress_bar import TqdmCallbackHandler
    from callboard.integrations.prometheus import PrometheusCallbackHandler
    from callboard.integrations.rate_limit import Allowance, RateLimit
    from callboard.integrations.rich_tree import RichTreeCallbackHandler
    from callboard.integrations.sentry import SentryCallbackHandler
    from callboard.integrations.streamlit import (
        LLMThoughtLabeler,
        MutableExpander,
        StreamlitCallbackHandler,
        ToolRecord,
    )
    from callboard.integrations.terminal import ask_in_terminal
    from callboard.integrations.wandb import WandbCallbackHandler

# Where each name is. Type checkers want the same names spelt out above and in __all__; a test
# holds that the three agree.
_HOMES = {
    "AlertCallbackHandler": "alerts",
    "Allowance": "rate_limit",
    "Approve": "decisions",
    "AsyncHumanApprovalCallbackHandler": "approval",
    "BudgetGuard": "budget",
    "ClearMLCallbackHandler": "clearml",
    "CometCallbackHandler": "comet",
    "CostCallbackHandler": "costs",
    "Edit": "decisions",
    "GradioCallbackHandler": "gradio",
    "HumanApprovalCallbackHandler": "approval",
    "HumanRejectedException": "decisions",
    "JsonLinesCallbackHandler": "json_lines",
    "JupyterCallbackHandler": "jupyter",
    "LLMThoughtLabeler": "streamlit",
    "LoggingCallbackHandler": "log_records",
    "MlflowCallbackHandler": "mlflow",
    "MutableExpander": "streamlit",
    "OpenAICallbackHandler": "costs",
    "OpenTelemetryCallbackHandler": "opentelemetry",
    "PrometheusCallbackHandler": "prometheus",
    "RateLimit": "rate_limit",
    "Reject": "decisions",
    "RichTreeCallbackHandler": "rich_tree",
    "RunRecord": "base",
    "RunTreeHandler": "base",
    "SentryCallbackHandler": "sentry",
    "StreamlitCallbackHandler": "streamlit",
    "ToolRecord": "streamlit",
    "ToolRequest": "decisions",
    "TqdmCallbackHandler": "progress_bar",
    "WandbCallbackHandler": "wandb",
    "approved": "approved_tools",
    "ask_in_terminal": "terminal",
    "get_cost_callback": "costs",
    "get_openai_callback": "costs",
}

__all__ = [
    "AlertCallbackHandler",
    "Allowance",
    "Approve",
    "AsyncHumanApprovalCallbackHandler",
    "BudgetGuard",
    "ClearMLCallbackHandler",
    "CometCallbackHandler",
    "CostCallbackHandler",
    "Edit",
    "GradioCallbackHandler",
    "HumanApprovalCallbackHandler",
    "HumanRejectedException",
    "JsonLinesCallbackHandler",
    "JupyterCallbackHandler",
    "LLMThoughtLabeler",
    "LoggingCallbackHandler",
    "MlflowCallbackHandler",
    "MutableExpander",
    "OpenAICallbackHandler",
    "OpenTelemetryCallbackHandler",
    "PrometheusCallbackHandler",
    "RateLimit",
    "Reject",
    "RichTreeCallbackHandler",
    "RunRecord",
    "RunTreeHandler",
    "SentryCallbackHandler",
    "StreamlitCallbackHandler",
    "ToolRecord",
    "ToolRequest",
    "TqdmCallbackHandler",
    "WandbCallbackHandler",
    "approved",
    "ask_in_terminal",
    "get_cost_callback",
    "get_openai_callback",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        _explain(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def _explain(name: str) -> None:
    """Raise what says where something is, or went, that LangChain had beside its handlers."""
    from callboard.errors import NotBuiltError  # noqa: PLC0415 - for names that are not there
    from callboard.integrations.moved import whereabouts  # noqa: PLC0415

    if sentence := whereabouts(name):
        raise NotBuiltError(sentence)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
