"""What is known of one run, as filters ask for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from callboard.query.entries import entries_of, text_of
from callboard.query.nodes import Kind, Value
from callboard.query.terms import terms_of

__all__ = ["EntryFacts", "RunFacts"]

EntryFacts: TypeAlias = Mapping[str, Value | None]
"""One entry: its values by the name of their field, such as ``metadata_key``."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of one run; or of a thread or an example, which have less.

    What takes work, entries and words, is made when a filter first asks for it.

    Attributes:
        fields: Values by the name of their field in the table of fields, each of the field's
            type: latencies in seconds, moments aware, ids as `UUID`, words in lower case. What is
            None, or not there, is null.
        tags: The tags.
        metadata: The metadata, as JSON has it.
        feedback: One dictionary for each feedback: its ``key``, ``score``, ``value``, ``source``
            (the type of it, such as ``"api"``) and ``comment``.
        inputs: What came in, as JSON has it.
        outputs: What came out.
    """

    fields: Mapping[str, Value | None] = field(default_factory=dict)
    tags: Collection[str] = ()
    metadata: Any = None
    feedback: Sequence[Mapping[str, Any]] = ()
    inputs: Any = None
    outputs: Any = None
    _entries: dict[Kind, list[EntryFacts]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _terms: dict[str | None, frozenset[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def entries(self, kind: Kind) -> Sequence[EntryFacts]:
        """Return the entries of a kind."""
        if kind not in self._entries:
            self._entries[kind] = list(self._made_entries(kind))
        return self._entries[kind]

    def terms(self, name: str | None) -> frozenset[str]:
        """Return the terms of a field that is searched, or of all such fields if it is None."""
        if name not in self._terms:
            names = ("name", "error", "inputs", "outputs") if name is None else (name,)
            texts = (text for each in names for text in self._texts(each))
            self._terms[name] = frozenset(term for text in texts for term in terms_of(text))
        return self._terms[name]

    def _made_entries(self, kind: Kind) -> Iterator[EntryFacts]:
        if kind == "feedback":
            yield from map(_feedback, self.feedback)
            return
        structures = {"metadata": self.metadata, "input": self.inputs, "output": self.outputs}
        for key, value in entries_of(structures[kind]):
            yield {f"{kind}_key": key, f"{kind}_value": value}

    def _texts(self, name: str) -> Iterator[str]:
        if name in {"inputs", "outputs"}:
            structure = self.inputs if name == "inputs" else self.outputs
            yield from (text for _, text in entries_of(structure))
        elif (value := self.fields.get(name)) is not None:
            yield str(value)


def _feedback(told: Mapping[str, Any]) -> EntryFacts:
    score, value, source = told.get("score"), told.get("value"), told.get("source")
    return {
        "feedback_key": told.get("key"),
        "feedback_score": None if score is None else float(score),
        "feedback_value": None if value is None else text_of(value),
        "feedback_source": None if source is None else str(source).lower(),
        "feedback_comment": told.get("comment"),
    }
