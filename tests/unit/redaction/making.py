"""Operations to redact."""

from uuid import UUID

from callboard.wire.operations import Operation

RUN = UUID(int=1)


def inputs_of(redaction, inputs):
    """Return what a redaction leaves of inputs."""
    return redaction.apply(Operation("create", RUN, {}, {"inputs": inputs})).parts["inputs"]


def redacted_text(redaction, text):
    return inputs_of(redaction, {"text": text})["text"]
