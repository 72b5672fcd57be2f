"""`cut`: what it tells the replica."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.cut import Cut


@pytest.mark.parametrize("how", ["fin", "rst", "clean"])
def test_it_cuts_in_each_of_three_ways(how: str) -> None:
    spec = Cut.model_validate({"pool": "tpu", "how": how, "after_tokens": 8})
    assert spec.params() == {"after_tokens": 8, "how": how}


@pytest.mark.parametrize("given", [{}, {"how": "axe"}, {"how": "fin", "after_tokens": -1}])
def test_it_must_say_how_and_not_after_less_than_no_token(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cut.model_validate({"pool": "tpu", **given})
