from __future__ import annotations

from reports.record.gateway_cpu import CpuSample, cpu_samples
from reports.record.reader import read_record
from tests.support.record_builder import RecordBuilder


def test_the_samples_are_read_and_damage_nothing(record: RecordBuilder) -> None:
    record.event("gateway_cpu", 6.0, cores=1.2, busiest=0.9, waiting=0.1)
    record.event("gateway_cpu", 7.0, cores=1.0, busiest=0.8)
    found = read_record(record.write())
    assert found.gateway_cpu == [CpuSample(6.0, 1.2, 0.9, 0.1), CpuSample(7.0, 1.0, 0.8, 0.0)]
    assert found.damage == []
    assert cpu_samples([], 0) == []
