from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callboard.export.retry import LONGEST_RETRY_AFTER, Backoff, retry_after_seconds


def now():
    return datetime(2025, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("1.5", 1.5),
        ("120", 120),
        ("Wed, 01 Jan 2025 12:00:30 GMT", 30),
        ("Wed, 01 Jan 2025 12:00:30 -0000", 30),
        ("Wed, 01 Jan 2025 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after_seconds(header, now) == seconds


def test_backoff_doubles_up_to_its_longest():
    backoff = Backoff(1.0, 10.0, lambda: 1.0)
    assert [backoff.seconds(n) for n in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]


def test_the_jitter_is_full():
    assert Backoff(1.0, 10.0, lambda: 0.0).seconds(9) == 0
    assert Backoff(1.0, 10.0, lambda: 0.25).seconds(3) == 1


def test_never_earlier_than_asked_and_never_hours_later():
    backoff = Backoff(1.0, 10.0, lambda: 0.5)
    assert backoff.seconds(1, retry_after=7) == 7.5
    assert backoff.seconds(1, retry_after=10**9) == LONGEST_RETRY_AFTER + 0.5
