"""`cut`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chaos.faults.replica.cut import Cut


@pytest.mark.parametrize("how", ["fin", "rst", "clean"])
def test_each_of_the_three_ways_is_sent(how: str) -> None:
    spec = Cut.model_validate({"pool": "tpu", "how": how, "after_tokens": 8})
    assert spec.params() == {"after_tokens": 8, "how": how}


@pytest.mark.parametrize("given", [{}, {"how": "axe"}, {"how": "fin", "after_tokens": -1}])
def test_a_missing_or_unknown_way_and_a_negative_position_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cut.model_validate({"pool": "tpu", **given})
