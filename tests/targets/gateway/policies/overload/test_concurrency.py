"""What the concurrency limits have in common: the sampled wait, the registry, the configuration."""

from __future__ import annotations

import pytest

from targets.gateway.config import Concurrency
from targets.gateway.policies.overload.aimd import AIMDLimit
from targets.gateway.policies.overload.concurrency import LIMITS, excess_wait_s, make_limit
from targets.gateway.policies.overload.fixed import FixedLimit
from targets.gateway.policies.overload.gradient2 import Gradient2Limit
from tests.support.literals import literal_values


def test_the_predicted_prefill_is_not_counted_as_wait() -> None:
    assert excess_wait_s(Concurrency(base_s=1.0), 1.5, 1.4) == pytest.approx(1.1)
    assert excess_wait_s(Concurrency(base_s=1.0), 0.2, 1.4) == 1.0
    assert excess_wait_s(Concurrency(base_s=0.5), 3.0, 1.0) == 2.5


def test_each_concurrency_kind_of_the_configuration_has_a_limit_and_the_reverse() -> None:
    assert set(LIMITS) == literal_values(Concurrency, "kind")


@pytest.mark.parametrize(("kind", "made"), [("gradient2", Gradient2Limit), ("aimd", AIMDLimit), ("fixed", FixedLimit)])
def test_each_kind_makes_its_limit(kind: str, made: type) -> None:
    assert isinstance(make_limit(Concurrency(kind=kind)), made)  # type: ignore[arg-type]


def test_a_wrong_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="initial must be between least and most"):
        Concurrency(initial=5)
    with pytest.raises(ValueError, match="tolerance"):
        Concurrency(tolerance=0.9)
