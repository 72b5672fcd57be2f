"""Names of attributes, and the enumerations among their values."""

from __future__ import annotations

from reports.shared import attributes
from reports.shared.attributes import Outcome, SessionOutcome, Transition
from tests.support.paths import ROOT

NAMES = {name: value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}


def test_no_two_attributes_have_the_same_name() -> None:
    assert len(set(NAMES.values())) == len(NAMES)


def test_each_outcome_of_a_call_is_documented() -> None:
    documented = (ROOT / "docs" / "measures.md").read_text()
    assert [
        outcome for outcome in Outcome if f"`{outcome}`" not in documented and f"else `{outcome}`" not in documented
    ] == []


def test_the_values_of_enumerations_are_their_names_in_lower_case() -> None:
    for enumeration in (Outcome, SessionOutcome, Transition):
        assert [str(member) for member in enumeration] == [member.name.lower() for member in enumeration]


def test_each_transition_is_made_by_a_policy_of_the_gateway() -> None:
    gateway = "".join(path.read_text() for path in sorted((ROOT / "targets" / "gateway").rglob("*.py")))
    assert [member for member in Transition if f"Transition.{member.name}" not in gateway] == []


def test_each_outcome_is_given_by_the_client_or_the_gateway() -> None:
    folders = (ROOT / "loadprofiles", ROOT / "targets")
    sources = "".join(path.read_text() for folder in folders for path in sorted(folder.rglob("*.py")))
    assert [member for member in Outcome if f"Outcome.{member.name}" not in sources] == []
    assert [member for member in SessionOutcome if f"SessionOutcome.{member.name}" not in sources] == []
