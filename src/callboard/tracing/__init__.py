"""Tracing: events recorded as trees of runs. Pure: no input or output, no network."""
