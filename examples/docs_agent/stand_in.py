"""A rule-based stand-in for a language model.

It understands nothing. It asks for the tool that a rule names, and answers with sentences that
stand in what the tools returned.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from examples.docs_agent.ranking import ranked

NAME = "rule-based-stand-in"
SENTENCES = 2


class Call(NamedTuple):
    """A tool that is to be called, and with what."""

    tool: str
    arguments: dict[str, str]


class Reply(NamedTuple):
    """What a model replies: tokens of text, or calls of tools."""

    tokens: list[str]
    calls: list[Call]


def reply(messages: Sequence[dict[str, Any]]) -> Reply:
    """Reply to a conversation, whose messages are OpenAI's."""
    asked = [text_of(message) for message in messages if message["role"] == "user"]
    question = " ".join(asked[-2:] if is_follow_up(asked[-1]) else asked[-1:])
    returned = takewhile(lambda message: message["role"] == "tool", reversed(messages))
    results = [text_of(message) for message in returned][::-1]
    if results:
        return Reply(tokens_of(answer(question, results)), [])
    return Reply([], plan(asked[-1], question))


def is_follow_up(question: str) -> bool:
    return re.match(r"(and|but|what about)\b", question, re.IGNORECASE) is not None


def plan(last: str, question: str) -> list[Call]:
    """Return the calls: each event that is named is looked up; all else is searched for."""
    if names := re.findall(r"\bon_\w+", last):
        return [Call("describe_event", {"name": name}) for name in names]
    return [Call("search_docs", {"question": question})]


def answer(question: str, results: Sequence[str]) -> str:
    """Return the sentences of the results that fit the question best, in their own order."""
    said = re.split(r"(?<=[.?!])\s+", " ".join(results))
    if len(said) > SENTENCES:
        said = [said[number] for number in sorted(ranked(question, said)[:SENTENCES])]
    return " ".join(said) or "I found nothing about that."


def text_of(message: dict[str, Any]) -> str:
    """Return a message's text, which may come in parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def tokens_of(text: str) -> list[str]:
    """Return a text in tokens: words, with the space after them."""
    return re.findall(r"\S+\s*", text)
