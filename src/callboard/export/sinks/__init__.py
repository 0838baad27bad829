"""Sinks: where operations go. `base` is the contract."""
