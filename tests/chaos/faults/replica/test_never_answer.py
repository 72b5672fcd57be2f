"""`never_answer`: the parameters that are sent to the replica's control port, and what is refused."""

from __future__ import annotations

from chaos.faults.replica.never_answer import NeverAnswer


def test_it_has_no_parameters_and_all_selectors_of_requests() -> None:
    spec = NeverAnswer.model_validate({"pool": "tpu", "tenant": ["a", "b"], "at_most": 2, "share": "30%"})
    assert spec.params() == {}
    assert (spec.requests_share, spec.requests_only) == (0.3, {"tenant": ["a", "b"], "at_most": 2})
