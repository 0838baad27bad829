"""The board's server: LangSmith's protocol, in and out, on one file.

`start` runs one beside other code; ``callboard serve`` runs one by itself.
"""

from callboard.server.serving import RunningServer, start
from callboard.server.settings import Settings

__all__ = ["RunningServer", "Settings", "start"]
