"""The chunk log's writer and reader agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.client import chunklog
from reports.record import chunklog as reader
from reports.shared.errors import RecordError

gaps = st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 100_000)), max_size=50)


def test_writer_and_reader_have_the_same_version() -> None:
    assert (chunklog.VERSION, chunklog.STEPS_PER_SECOND) == (reader.VERSION, reader.STEPS_PER_SECOND)


@given(gaps, st.floats(0, 1e6))
def test_round_trip_keeps_tokens_and_times_to_a_step(chunks: list[tuple[float, int]], started_s: float) -> None:
    times, at = [], started_s
    for gap, _ in chunks:
        at += gap
        times.append(at)
    read = reader.decode(chunklog.encode(started_s, times, [tokens for _, tokens in chunks]))
    assert [chunk.tokens for chunk in read] == [tokens for _, tokens in chunks]
    for chunk, time_s in zip(read, times, strict=True):
        assert chunk.at_s == pytest.approx(time_s - started_s, abs=0.6e-5 + 1e-9)


def test_a_log_has_the_documented_bytes() -> None:
    assert chunklog.encode(10.0, [10.5, 10.50001], [1, 300]) == bytes([1, 0xD0, 0x86, 0x03, 1, 1, 0xAC, 0x02])


def test_a_token_every_20_ms_takes_three_bytes() -> None:
    log = chunklog.encode(0.0, [0.02 * i for i in range(100)], [1] * 100)
    assert len(log) <= 1 + 3 * 100


def test_negative_times_and_token_counts_are_rejected() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        chunklog.encode(1.0, [0.5], [1])
    with pytest.raises(ValueError, match="must not be negative"):
        chunklog.encode(0.0, [0.5], [-1])


@pytest.mark.parametrize("log", [b"\x02\x01\x01", b"\x01\x80", b"\x01\x05"])
def test_an_invalid_log_is_rejected(log: bytes) -> None:
    with pytest.raises(RecordError):
        reader.decode(log)


def test_an_empty_log_has_no_chunks() -> None:
    assert reader.decode(b"") == [] == reader.decode(chunklog.encode(0.0, [], []))
