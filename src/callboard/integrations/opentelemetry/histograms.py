"""Histograms, with the bounds that the conventions advise."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.metrics import Histogram, Meter

__all__ = ["histogram"]


def histogram(meter: Meter, name: str, bounds: Sequence[float], unit: str) -> Histogram:
    """Make a histogram.

    Args:
        meter: The meter.
        name: What it is called.
        bounds: The upper bounds of its buckets, unless a view of the application says otherwise.
        unit: What is measured, in UCUM's notation.
    """
    return meter.create_histogram(name, unit=unit, explicit_bucket_boundaries_advisory=bounds)
