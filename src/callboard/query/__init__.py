"""LangSmith's filter language: text to nodes, which a store compiles and Python can answer.

`parse` reads a filter, `to_text` writes one, `matches` answers one for a run. What may be filtered
by is in the tables of `fields`, what the nodes are in `nodes`, and what they mean, to the letter,
in `evaluation`: whoever compiles them reads that page first. Nothing here knows a store.
"""

from callboard.query.evaluation import matches
from callboard.query.facts import RunFacts
from callboard.query.fields import EXAMPLE_FIELDS, RUN_FIELDS, THREAD_FIELDS
from callboard.query.printing import to_text
from callboard.query.syntax import parse

__all__ = [
    "EXAMPLE_FIELDS",
    "RUN_FIELDS",
    "THREAD_FIELDS",
    "RunFacts",
    "matches",
    "parse",
    "to_text",
]
