"""Sampling: the LangSmith SDK and this tracer choose the same traces."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langsmith import Client
from langsmith._internal._sampling import is_sampled_by_id

from callboard.ids import uuid7
from callboard.langsmith.sampling import sampled, sampling_bucket


@given(st.uuids())
def test_a_trace_is_in_the_bucket_that_the_sdk_puts_it_in(trace_id):
    bucket = sampling_bucket(trace_id)
    assert is_sampled_by_id(trace_id, (bucket + 1) / 1_000_000)
    assert not is_sampled_by_id(trace_id, bucket / 1_000_000)


def test_ids_of_the_two_ends_have_buckets_too():
    assert [sampling_bucket(UUID(int=each)) for each in (0, 2**128 - 1)] == [440104, 127901]


@pytest.mark.parametrize("rate", ["0", "0.25", "0.9", "1"])
def test_a_trace_is_sent_if_the_sdk_would_send_it(environment, rate):
    environment(LANGSMITH_TRACING_SAMPLING_RATE=rate)
    options = {"auto_batch_tracing": False, "tracing_sampling_rate": float(rate)}
    client = Client("http://127.0.0.1:9", api_key="k", **options)
    ids = [uuid7() for _ in range(500)]
    ours = [each for each in ids if sampled(each)]
    kept = client._filter_for_sampling([{"trace_id": each} for each in ids])
    assert ours == [each["trace_id"] for each in kept]
    assert abs(len(ours) / len(ids) - float(rate)) < 0.1
