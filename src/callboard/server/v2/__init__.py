"""The second query API: what is below ``/api/v2``."""

from callboard.server.v2 import runs, shares, threads, traces

__all__ = ["ROUTES"]

# What has a fixed path comes before what has a name in the same place.
ROUTES = [*shares.ROUTES, *runs.ROUTES, *traces.ROUTES, *threads.ROUTES]
