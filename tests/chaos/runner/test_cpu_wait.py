"""The time that a process waited for a CPU, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

from chaos.runner.cpu_wait import waited_for_cpu_s


def test_the_second_field_of_schedstat_is_read_in_nanoseconds(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "schedstat").write_text("123456 2500000000 17\n")
    assert waited_for_cpu_s(7, tmp_path) == 2.5


def test_this_process_has_a_wait_and_it_does_not_shrink() -> None:
    first = waited_for_cpu_s(os.getpid())
    assert first is not None
    second = waited_for_cpu_s(os.getpid())
    assert second is not None
    assert second >= first >= 0


def test_a_process_that_is_gone_or_a_kernel_that_does_not_count_gives_none(tmp_path: Path) -> None:
    assert waited_for_cpu_s(8, tmp_path) is None
    (tmp_path / "9").mkdir()
    for text in ("", "1", "1 x 3"):
        (tmp_path / "9" / "schedstat").write_text(text)
        assert waited_for_cpu_s(9, tmp_path) is None
