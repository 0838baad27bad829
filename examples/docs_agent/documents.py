"""Callboard's own documents, by section, and the search in them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from examples.docs_agent.ranking import ranked

DOCS = Path(__file__).resolve().parents[2] / "docs"
# Code, comments, tables, names of tests and lists: nothing to quote sentences from.
NOT_PROSE = re.compile(r"(?ms)^```.*?^```|^<!--.*?-->|^[|].*?$|^`[^`]*`,?$|^- .*?(?=^\S|^$)")


class Section(NamedTuple):
    """What is under one heading."""

    source: str
    text: str


@cache
def sections() -> list[Section]:
    return [section for path in sorted(DOCS.glob("*.md")) for section in sections_of(path)]


def sections_of(path: Path) -> Iterator[Section]:
    prose = NOT_PROSE.sub("", path.read_text("utf-8"))
    for section in re.split(r"(?m)^#+ ", prose)[1:]:
        title, _, body = section.partition("\n")
        if text := " ".join(body.split()):
            yield Section(f"{path.name}, {title}", text)


def search(question: str, limit: int = 3) -> list[Section]:
    """Return the sections that fit a question best. Their titles count twice."""
    found = ranked(question, [f"{each.source} {each.source} {each.text}" for each in sections()])
    return [sections()[number] for number in found[:limit]]
