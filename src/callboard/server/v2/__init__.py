"""The second query API: what is below ``/api/v2``."""

__all__ = ["ROUTES"]

ROUTES = []
