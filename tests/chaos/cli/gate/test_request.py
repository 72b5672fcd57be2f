"""The options of a gate."""

from __future__ import annotations

import pytest

from chaos.cli.gate.request import within_s
from reports.shared.errors import UserError


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("20m", 1200.0), ("90s", 90.0), ("1h", 3600.0)])
def test_a_time_is_read(text: str | None, seconds: float | None) -> None:
    assert within_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "0", "0m"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="20m"):
        within_s(text)
