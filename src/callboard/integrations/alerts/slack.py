"""An alert as Slack's incoming webhooks take it."""

from __future__ import annotations

from typing import Any

from callboard.integrations.alerts.alert import Alert, Example, amount

__all__ = ["slack_message"]

_ICONS = {
    "firing": ":red_circle:",
    "reminder": ":large_orange_circle:",
    "resolved": ":large_green_circle:",
}
# What Slack takes; more of it is an error that loses the message.
_LONGEST_HEADER = 150
_LONGEST_TEXT = 3_000
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def slack_message(alert: Alert) -> dict[str, Any]:
    """Return an alert as a message of blocks, with a text for notifications.

    Args:
        alert: The alert.
    """
    header = f"{_ICONS[alert.state]} {alert.title}"[:_LONGEST_HEADER]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}},
        _section(_escaped(alert.text)),
    ]
    if alert.state != "resolved":
        blocks.append({"type": "section", "fields": [_mrkdwn(each) for each in _fields(alert)]})
        if alert.example is not None:
            blocks += _example(alert.example, alert.link)
    told = f"{alert.state} · {alert.at:%Y-%m-%d %H:%M:%S} UTC · {alert.id}"
    blocks.append({"type": "context", "elements": [_mrkdwn(told)]})
    return {"text": _escaped(f"{alert.state}: {alert.text}"), "blocks": blocks}


def _fields(alert: Alert) -> list[str]:
    value = "none" if alert.value is None else amount(alert.value, alert.rule.unit)
    return [
        f"*Value*\n{value}",
        f"*Limit*\n{alert.threshold}",
        f"*{alert.rule.counted.capitalize()}*\n{alert.count}",
        f"*Since*\n{alert.since:%Y-%m-%d %H:%M:%S} UTC",
    ]


def _example(example: Example, link: str | None) -> list[dict[str, Any]]:
    name = _escaped(example.name or "run")
    shown = name if link is None else f"<{_address(link)}|{name.replace('|', '¦')}>"
    blocks = [_section(f"*For example* {shown} `{example.id}`")]
    said = example.error_message or example.comment
    if said:
        quoted = _escaped(said).replace("```", "'''")
        blocks.append(_section(f"```{quoted}```"))
    return blocks


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": _cut(text)}


def _cut(text: str) -> str:
    """Return a text that Slack takes, without half of an escape or an open code block."""
    if len(text) <= _LONGEST_TEXT:
        return text
    end = "…```" if text.startswith("```") else "…"
    cut = text[: _LONGEST_TEXT - len(end)]
    ampersand = cut.rfind("&", len(cut) - 5)
    if ampersand >= 0 and ";" not in cut[ampersand:]:
        cut = cut[:ampersand]
    return cut + end


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _address(link: str) -> str:
    # What would end it: in a link of Slack's, these stand between address and name.
    return _escaped(link.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
