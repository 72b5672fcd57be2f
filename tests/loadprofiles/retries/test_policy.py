"""What holds for every retry policy."""

from __future__ import annotations

from random import Random

import pytest

from loadprofiles.retries import POLICIES, Failure
from tests.support.failures import BUSY, CORRUPT, CUT, OVERLOADED, TIMEOUT, status


@pytest.mark.parametrize("failure", [BUSY, TIMEOUT, CUT, CORRUPT, OVERLOADED, status(429, retry_after="3")])
@pytest.mark.parametrize("name", POLICIES)
def test_a_decision_depends_only_on_its_arguments(name: str, failure: Failure) -> None:
    policy = POLICIES[name]
    first = policy.decide(0, failure, 10.0, Random("k"))
    policy.decide(1, failure, 10.0, Random("other"))
    assert policy.decide(0, failure, 10.0, Random("k")) == first
