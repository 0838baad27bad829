"""Redaction: from an operation to one that may leave the process.

In this order: what is hidden is taken out; the anonymizer sees what is left; then content, if it
is off; then the rules. Whatever fails on the way costs the value that it failed on, which is
withheld: nothing is sent because it could not be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from callboard.errors import BadOptionError
from callboard.redaction.content import error_type, without_content, without_content_of_extra
from callboard.redaction.hiding import (
    WITHHELD,
    Anonymizer,
    Hide,
    Hiding,
    complain,
    details,
    moment,
)
from callboard.redaction.names import PASSWORDS, Names
from callboard.redaction.ready_made import READY_MADE
from callboard.redaction.rules import Rule
from callboard.redaction.said import SAID_AS, Said
from callboard.redaction.texts import Texts
from callboard.wire import json
from callboard.wire.keys import distinct
from callboard.wire.operations import Attachment, Operation

__all__ = ["Redaction", "redacted"]

_ACCEPTED = (*READY_MADE, "passwords")
# Deeper than what is captured.
_MAX_DEPTH = 200


class Redaction:
    """What is not to leave the process, or not as it is. Safe between threads.

    Functions are called by the thread that sends, not by the application's, with a copy that
    is theirs to change. Of an exporter, an operation is redacted once, before it is sent or
    spooled.
    """

    def __init__(
        self,
        *rules: str | Rule,
        names: Iterable[str] = (),
        hide_inputs: Hide = False,
        hide_outputs: Hide = False,
        hide_metadata: Hide = False,
        anonymizer: Anonymizer | None = None,
        content: bool = True,
        error_messages: bool = False,
    ) -> None:
        """Say what is not to leave.

        Args:
            *rules: What is looked for in every text: the names of ready-made rules (``emails``,
                ``keys``, ``cards``, ``ips``, ``passwords``) or rules of your own.
            names: Names of values that are not sent, wherever they are; ``passwords`` has
                many already.
            hide_inputs: Whether inputs are hidden, or what makes of them what is sent.
            hide_outputs: The same for outputs; of events, only when they happened is told then.
            hide_metadata: The same for metadata; the tokens that were used are told always.
            anonymizer: Makes of inputs, outputs, the rest of ``extra``, events' details,
                ``serialized`` and ``{"error": text}`` what is sent, each a dictionary.
            content: Whether what runs were given and returned is sent at all: see
                `callboard.redaction.content` for what is kept if it is not.
            error_messages: Whether errors are sent whole even then.

        Raises:
            BadOptionError: There is no such rule, or something is not what it should be.
        """
        for rule in rules:
            if not isinstance(rule, Rule) and rule not in _ACCEPTED:
                raise BadOptionError(
                    f"There is no rule {rule!r} to redact by; accepted are {', '.join(_ACCEPTED)}, "
                    "and a Rule of your own."
                )
        if isinstance(names, str):
            raise BadOptionError(f"names is {names!r}, and takes a list of names.")
        self._rules = rules
        self._hiding = Hiding(
            {"inputs": hide_inputs, "outputs": hide_outputs, "metadata": hide_metadata}, anonymizer
        )
        self._content = content
        self._error_messages = error_messages
        own = [rule for rule in rules if isinstance(rule, Rule)]
        secret = [*(PASSWORDS if "passwords" in rules else ()), *names]
        self._texts = Texts(
            own,
            [rule for name, ready in READY_MADE.items() if name in rules for rule in ready],
            Names("passwords", secret) if secret else None,
        )
        self._said = Said()
        self._has_failed = False

    def __repr__(self) -> str:
        told = [rule if isinstance(rule, str) else rule.name for rule in self._rules]
        told += [f"hide_{name}" for name, hide in self._hiding.of.items() if hide]
        told += ["anonymizer"] if self._hiding.anonymizer else []
        told += [] if self._content else ["content off"]
        return f"<Redaction: {', '.join(told) or 'of names' if self else 'nothing'}>"

    def __bool__(self) -> bool:
        """Whether there is anything that it would do."""
        return bool(self._hiding or self._texts or not self._content)

    def apply(self, operation: Operation) -> Operation:
        """Return what may be told of an operation. Never raises.

        Args:
            operation: What is told of a run; it is left as it is.
        """
        try:
            return self._applied(operation)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may slip through
            self._complain(error)
            return _bare(operation)

    @property
    def touches_outputs(self) -> bool:
        """Whether anything of what runs return may be changed.

        Then nothing of it can be told before it is complete: half of a secret is not seen to be
        one.
        """
        return bool(
            self._hiding.of["outputs"]
            or self._hiding.anonymizer
            or self._texts
            or not self._content
        )

    def _applied(self, operation: Operation) -> Operation:
        counts: dict[str, Counter[str]] = {"head": Counter()}
        parts: dict[str, Any] = {}
        for name, part in operation.parts.items():
            if part is not None:
                counts[name] = Counter()
                value = json.decode(part) if type(part) is bytes else _copied(part)
                parts[name] = self._part(name, value, counts[name])
        head = self._head(operation.head, counts["head"])
        has_ended = operation.head.get("end_time") is not None
        files = self._files(operation.attachments, counts["head"], has_ended=has_ended)
        self._said.note(operation, parts, counts)
        return Operation(operation.kind, operation.run_id, head, parts, files)

    def _part(self, name: str, value: Any, counts: Counter[str]) -> Any:
        if self._hiding:
            value = self._hiding.part(name, value, counts)
        if not self._content:
            value = self._without_content(name, value, counts)
        return self._texts.value(value, counts) if self._texts else value

    def _without_content(self, name: str, value: Any, counts: Counter[str]) -> Any:
        if name == "error":
            if self._error_messages:
                return value
            counts["content"] += 1
            return error_type(str(value))
        if name == "extra" and isinstance(value, dict):
            return without_content_of_extra(value)
        if name == "events":
            return [moment(event) | without_content(details(event)) for event in value]
        counts["content"] += bool(value)
        return without_content(value)

    def _head(self, head: Mapping[str, Any], counts: Counter[str]) -> dict[str, Any]:
        told = dict(head)
        for name in ("name", "tags"):
            if self._texts and told.get(name):
                told[name] = self._texts.value(told[name], counts)
        return told

    def _files(
        self, files: Mapping[str, Attachment], counts: Counter[str], *, has_ended: bool
    ) -> dict[str, Attachment]:
        """Return those attachments that may be sent; nothing but rules can judge one."""
        hiding = self._hiding
        hidden = hiding.of["inputs"] or (has_ended and hiding.of["outputs"]) or hiding.anonymizer
        if files and (hidden or not self._content):
            counts["attachments"] += len(files)
            return {}
        if not self._texts:
            return dict(files)
        told: dict[str, Attachment] = {}
        for name, file in files.items():
            told[distinct(self._texts.text(name, counts), told)] = self._file(file, counts)
        return told

    def _file(self, file: Attachment, counts: Counter[str]) -> Attachment:
        if not _is_text(file):
            return file
        text = file.data.decode("utf-8", "surrogateescape")
        safe = self._texts.text(text, counts)
        return Attachment(file.mime_type, safe.encode("utf-8", "surrogateescape"))

    def _complain(self, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed = True
            complain(repr(self), type(error).__name__)


def _is_text(file: Attachment) -> bool:
    """Whether an attachment is said to be text, or is: what it is said to be may be wrong."""
    if file.mime_type.lower().startswith("text/"):
        return True
    try:
        file.data.decode()
    except UnicodeDecodeError:
        return False
    return True


def redacted(operation: Operation, redactions: Iterable[Redaction]) -> Operation:
    """Return what several redactions leave of an operation, one after the other.

    Args:
        operation: What is told of a run; it is left as it is.
        redactions: Those that ask for it.
    """
    for each in redactions:
        operation = each.apply(operation)
    return operation


def _copied(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a structure that nobody else holds, of the same leaves, and that has an end."""
    kind = type(value)
    if kind is not dict and kind is not list and kind is not tuple:
        return value
    if id(value) in above or len(above) >= _MAX_DEPTH:
        return "<withheld: too deep to be searched>"
    above = (*above, id(value))
    if kind is dict:
        return {key: _copied(each, above) for key, each in value.items()}
    return [_copied(each, above) for each in value]


def _bare(operation: Operation) -> Operation:
    """Return of an operation what says where it belongs, and nothing else."""
    head = {**operation.head, "name": WITHHELD, "tags": []}
    empty: dict[str, Any] = {"events": [], "error": WITHHELD}
    parts = {
        name: empty.get(name, {}) for name, part in operation.parts.items() if part is not None
    }
    parts["extra"] = {"metadata": {SAID_AS: {"withheld": 1}}}
    return Operation(operation.kind, operation.run_id, head, parts)
