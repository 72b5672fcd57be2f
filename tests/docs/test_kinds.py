"""Each kind that a file or a control port can name is documented on its page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields

import pytest

from chaos.experiment.families import FAMILIES
from chaos.faults.catalogue import KINDS
from chaos.faults.selection import COUNTS
from loadprofiles import demand, retries
from loadprofiles.arrivals.file import ArrivalsFile
from loadprofiles.replay import FORMATS
from loadprofiles.sessions.profile_file import profile_names
from reports.gates.operators import OPERATORS
from reports.measures.catalogue import CATALOGUE
from targets.gateway import behaviours as gateway_behaviours
from targets.gateway.config import GatewayPolicies
from targets.gateway.policies.balancing.registry import BALANCERS
from targets.gateway.policies.overload.concurrency import LIMITS
from targets.replica import behaviours as replica_behaviours
from targets.stack import stack_names
from tests.support.paths import ROOT

DOCUMENTED: dict[tuple[str, str], Iterable[str]] = {
    ("faults.md", "a fault"): KINDS,
    ("faults.md", "a count of replicas"): COUNTS,
    ("wire.md", "a behaviour of a replica"): replica_behaviours.BEHAVIOURS,
    ("wire.md", "a behaviour of the gateway"): gateway_behaviours.BEHAVIOURS,
    ("wire.md", "demand"): demand.KINDS,
    ("load.md", "a profile"): profile_names(),
    ("load.md", "arrivals"): ArrivalsFile.model_fields,
    ("load.md", "a retry policy"): retries.POLICIES,
    ("load.md", "a trace format"): FORMATS,
    ("policies.md", "a balancing policy"): (f"balancing: {name}" for name in BALANCERS),
    ("policies.md", "a concurrency limit"): (f"concurrency: {name}" for name in LIMITS),
    ("policies.md", "a policy of the gateway"): (field.name for field in fields(GatewayPolicies)),
    ("policies.md", "a stack"): stack_names(),
    ("measures.md", "a measure"): CATALOGUE,
    ("measures.md", "an operator of gates"): OPERATORS,
    ("experiments.md", "a family"): FAMILIES,
}


@pytest.mark.parametrize(("page", "what"), DOCUMENTED)
def test_each_kind_is_documented(page: str, what: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    names = list(DOCUMENTED[page, what])
    assert names
    missing = [name for name in names if not re.search(rf"`{re.escape(name)}(`|: )", text)]
    assert missing == [], f"{what} is missing on docs/{page}"
