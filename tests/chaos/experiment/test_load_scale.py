from __future__ import annotations

import pytest

from chaos.experiment.load_scale import parse_scale, scale_text
from reports.shared.errors import UserError


def test_a_factor_or_auto_is_read() -> None:
    assert [parse_scale(text) for text in (None, "0.2", "100", "auto", "AUTO")] == [1.0, 0.2, 100.0, "auto", "auto"]


@pytest.mark.parametrize("wrong", ["0", "-1", "100.1", "nan", "inf", "20%", "half", ""])
def test_a_wrong_factor_is_an_error_with_its_remedy(wrong: str) -> None:
    with pytest.raises(UserError, match=r"above 0 and at most 100, or auto.*--scale 0\.2"):
        parse_scale(wrong)


def test_only_a_scaled_load_says_so() -> None:
    assert (scale_text(1.0), scale_text(0.25)) == ("", "scaled by 0.25")
