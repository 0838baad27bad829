r"""Redaction: what of a run does not leave the process, or leaves it in another form.

    Redaction("emails", "keys", Rule("orders", r"ORD-\d{6}"), anonymizer=mask)

A `Redaction` is given to an exporter or a tracer, or made from the environment. It turns each
operation into one that may be sent; `rules` says what is looked for in texts, `names` under
which names no value is sent, `content` what is left of a run whose content is not.
"""

from __future__ import annotations

from callboard.redaction.ready_made import READY_MADE
from callboard.redaction.redaction import Redaction, redacted
from callboard.redaction.rules import Rule

__all__ = ["READY_MADE", "Redaction", "Rule", "redacted"]
