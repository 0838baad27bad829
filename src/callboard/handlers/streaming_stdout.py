"""The handler that prints a model's answer while it streams."""

from __future__ import annotations

import sys
from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.payloads import content_text

__all__ = ["StreamingStdOutCallbackHandler"]


class StreamingStdOutCallbackHandler(BaseCallbackHandler):
    """Prints each new token of a model that streams, as it comes."""

    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], **kwargs: Any) -> None:
        """Print the token's text; other content blocks, such as images, are left out."""
        sys.stdout.write(content_text(token))
        sys.stdout.flush()
