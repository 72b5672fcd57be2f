"""`brownout trace`: waterfalls in the terminal, at 80 columns and wider, without colours."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from reports.shared.errors import UserError
from reports.waterfall.terminal import print_waterfalls
from tests.support.lost_pool import add_decision, lost_pool_calls
from tests.support.record_builder import RecordBuilder, good_run


def printed(builder: RecordBuilder, *, width: int = 80, failover: bool = True, call: str | None = None) -> str:
    """The output of `brownout trace`."""
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    assert print_waterfalls(builder.write(), failover=failover, call=call, most=5, console=console) == 0
    return out.getvalue()


def test_every_line_fits_80_columns_and_needs_no_colour(tmp_path: Path) -> None:
    builder = lost_pool_calls(tmp_path / "run")
    add_decision(builder, "saved")
    text = printed(builder)

    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    assert "2 of 3 calls met a fault, 2 were interrupted" in text
    bars = {line[:20].strip(): line for line in text.split("saved/main#2")[1].splitlines()}
    assert "✗" in bars["#1 tpu-0"]
    assert "░" in next(line for head, line in bars.items() if head.startswith("fault f1"))
    assert "▒" in next(line for head, line in bars.items() if head.startswith("the client waited"))
    assert "·" in next(line for head, line in bars.items() if head.startswith("#1"))


def test_a_wide_terminal_shows_the_outcome_of_each_span(tmp_path: Path) -> None:
    text = printed(lost_pool_calls(tmp_path / "run"), width=150)

    assert max(cell_len(line) for line in text.splitlines()) <= 150
    saved = text.split("saved/main#2")[1].splitlines()
    assert next(line for line in saved if "#1 tpu-0 " in line).endswith("reset, 5 tokens passed on")


def test_an_unknown_call_is_an_error_of_the_user(tmp_path: Path) -> None:
    folder = lost_pool_calls(tmp_path / "run").write()

    with pytest.raises(UserError, match=r"saved/main#2"):
        print_waterfalls(folder, failover=False, call="savde/main#2", most=3)


def test_a_named_call_is_shown_even_if_it_met_no_fault(tmp_path: Path) -> None:
    text = printed(lost_pool_calls(tmp_path / "run"), failover=False, call="well/main#0")

    assert "well/main#0" in text
    assert "saved/main#2" not in text
    assert "the client waited" not in text


def test_a_run_without_a_fault_gets_a_sentence(tmp_path: Path) -> None:
    text = printed(good_run(tmp_path / "run", sessions=2))

    assert text.startswith("This run had no fault")


def test_a_fault_that_hit_nothing_is_named(tmp_path: Path) -> None:
    builder = good_run(tmp_path / "run", sessions=2)
    builder.fault()

    assert "f1 (kill) hit nothing" in " ".join(printed(builder).split())


def test_without_options_the_slowest_calls_come_first(tmp_path: Path) -> None:
    builder = RecordBuilder(tmp_path / "run")
    builder.phases()
    for name, pause in (("quick", 0.1), ("slow", 9.0), ("middling", 3.0)):
        builder.call(name, 0, 6.0, gaps={3: pause})
    text = printed(builder, failover=False)

    assert text.index("slow/main#0") < text.index("middling/main#0") < text.index("quick/main#0")
