"""Door: names of ``langchain_core.tracers.core``."""

from callboard.tracing.core import TracerCore
from callboard.tracing.kinds import SchemaFormat

__all__ = ["SCHEMA_FORMAT_TYPE", "TracerCore", "_TracerCore"]

SCHEMA_FORMAT_TYPE = SchemaFormat

_TracerCore = TracerCore
