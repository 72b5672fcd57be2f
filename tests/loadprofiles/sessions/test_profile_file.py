from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loadprofiles.arrivals import ArrivalsSpec, Constant, Poisson, Spike
from loadprofiles.draws import constant, lognormal, lognormal_p90, uniform
from loadprofiles.retries import POLICIES
from loadprofiles.sessions.profile import Client, Profile, Tenant, Thinking
from loadprofiles.sessions.profile_file import ProfileFile, load_profile, profile_names
from reports.shared.documents import NotFound
from reports.shared.errors import InvalidFile
from reports.shared.tenancy import TIERS

GOOD = """\
arrivals: {constant: {rate: 2}}
shared_prefix: 100
own_prefix: 50
calls: {min: 1, max: 4}
appended: {median: 200, p90: 1000, min: 16, max: 4000}
output: {median: 32, sigma: 0.5}
tool: {median: 30ms, p90: 1.4s, min: 5ms, max: 2s}
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def complaints(folder: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidFile) as caught:
        load_profile(write(folder, text))
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def test_every_shipped_profile_is_read_and_has_a_title() -> None:
    assert {"coding-agent", "coding-agent-ci", "chat", "batch", "reasoning", "research-swarm"} <= set(profile_names())
    for name in profile_names():
        profile = load_profile(name)
        assert (profile.name, bool(profile.title)) == (name, True)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_profile_can_name_every_retry_policy(tmp_path: Path, policy: str) -> None:
    assert load_profile(write(tmp_path, GOOD + f"client: {{retries: {policy}}}\n")).client.retries == policy


def test_coding_agent_ci_has_the_numbers_it_was_sized_with() -> None:
    profile = load_profile("coding-agent-ci")
    assert profile.arrivals == ArrivalsSpec(spike=Spike(4.7, 10, 5, 0))
    assert profile.shared_prefix == 15_000
    assert profile.own_prefix == lognormal(1500, 0.5, 200, 6000)
    assert profile.calls == lognormal(6, 0.35, 3, 12)
    assert profile.appended == lognormal_p90(200, 1000, 16, 4000)
    assert profile.output == lognormal_p90(32, 136, 8, 300)
    assert profile.tool == lognormal_p90(0.03, 1.4, 0.005, 2)
    assert (profile.person, profile.sub_agents, profile.compaction) == (None, None, None)


def test_coding_agent_has_the_published_numbers() -> None:
    profile = load_profile("coding-agent")
    assert profile.shared_prefix == 15_000
    assert profile.own_prefix.median == 10_000
    assert profile.sub_agents is not None
    assert (profile.sub_agents.share, profile.sub_agents.count) == (0.07, uniform(1, 4))
    assert profile.compaction is not None
    assert profile.compaction.above_tokens == 160_000
    assert profile.tool.at(0.9) == pytest.approx(14)
    assert profile.person is not None
    assert profile.person.at(0.5) == pytest.approx(84)


def test_every_notation_of_a_distribution_is_read(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, GOOD))
    assert profile.name == "mine"
    assert profile.own_prefix == constant(50)
    assert profile.calls == uniform(1, 4)
    assert profile.appended == lognormal_p90(200, 1000, 16, 4000)
    assert profile.output == lognormal(32, 0.5)
    assert profile.tool == lognormal_p90(0.03, 1.4, 0.005, 2)
    assert profile.client == Client("openai", "openai-sdk", 600, 5, stream=True)


def test_client_tenants_and_poisson_arrivals_are_read(tmp_path: Path) -> None:
    text = GOOD.replace("{constant: {rate: 2}}", "{poisson: {constant: {rate: 2}, cv: 4}}")
    text += "tenants: {small: 1, large: {share: 3, tier: batch}}\n"
    text += "client: {api: anthropic, retries: none, timeout: 2m, stream: false}\n"
    profile = load_profile(write(tmp_path, text))
    assert profile.arrivals == ArrivalsSpec(poisson=Poisson(constant=Constant(2), cv=4))
    assert profile.tenants == (Tenant("small", 1), Tenant("large", 3, "batch"))
    assert profile.client == Client("anthropic", "none", 120, 5, stream=False)


@pytest.mark.parametrize(
    ("written", "says", "remedy"),
    [
        ("{a: {share: 1, tier: bach}}", 'there is no tier "bach"', 'did you mean "batch"?'),
        ("{a: {tier: batch}}", "share", ""),
        ("{a: 0}", "more than 0", ""),
        ("{a b: 1}", "a b", ""),
    ],
)
def test_an_invalid_tenant_is_reported_with_its_line(tmp_path: Path, written: str, says: str, remedy: str) -> None:
    found = complaints(tmp_path, GOOD + f"tenants: {written}\n")
    assert [line for line, _, _ in found] == [8]
    assert says in found[0][1]
    assert remedy in found[0][2]


def test_thinking_has_its_own_share_and_output(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, GOOD + "thinking: {share: 4%, output: {median: 600, sigma: 0.2}}\n"))
    assert profile.thinking == Thinking(0.04, lognormal(600, 0.2))
    found = complaints(tmp_path, GOOD + "thinking: {share: 4%, outputs: 600}\n")
    assert {line for line, _, _ in found} == {8}
    assert any('did you mean "output"?' in remedy for _, _, remedy in found)


def test_a_relative_path_is_searched_in_the_folder_of_the_naming_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "near.yaml")
    assert load_profile("near.yaml", base=tmp_path).name == "near"


def test_an_unknown_name_is_reported_with_the_most_similar_one() -> None:
    with pytest.raises(NotFound, match='did you mean "coding-agent-ci"'):
        load_profile("coding-agnt-ci")


def test_all_mistakes_of_a_file_are_reported_at_once_with_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("{constant: {rate: 2}}", "{spik: {base: 4, peak: 10, for: 5s}}")
    text = text.replace("shared_prefix: 100", "shared_prefix: -1").replace("1.4s", "1.4x")
    text += "client: {retries: openai-sdx}\n"
    found = complaints(tmp_path, text)
    assert [line for line, _, _ in found] == [1, 2, 7, 8]
    assert 'did you mean "spike"?' in found[0][2]
    assert "300ms" in found[2][2]
    assert 'did you mean "openai-sdk"?' in found[3][2]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{median: 5, min: 1}", "not a distribution"),
        ("{median: 5, sigma: 1, p90: 9}", "not a distribution"),
        ("{min: 1}", "not a distribution"),
        ("{min: 5, max: 1}", "min 5 is above max 1"),
        ("{median: 5, p90: 2}", "p90 2 is below the median 5"),
        ("{median: 0, sigma: 1}", "median must be more than 0"),
        ("{value: 5, min: 2}", "cannot be combined with other keys"),
        ("many", "must be a number"),
        ("[1, 2]", "must be a number"),
    ],
)
def test_an_invalid_distribution_is_reported_with_its_line(tmp_path: Path, written: str, says: str) -> None:
    found = complaints(tmp_path, GOOD.replace("own_prefix: 50", f"own_prefix: {written}"))
    assert [line for line, _, _ in found] == [3]
    assert says in found[0][1]


@pytest.mark.parametrize(
    "written", ["{}", "{constant: {rate: 1}, ramp: {start: 1, end: 2, over: 5s}}", "{poisson: {}}"]
)
def test_arrivals_need_exactly_one_kind(tmp_path: Path, written: str) -> None:
    found = complaints(tmp_path, GOOD.replace("{constant: {rate: 2}}", written))
    assert len(found) == 1
    assert "exactly one shape" in found[0][1]


@pytest.mark.parametrize("tier", TIERS)
def test_a_tenant_can_have_every_tier(tmp_path: Path, tier: str) -> None:
    profile = load_profile(write(tmp_path, GOOD + f"tenants: {{a: {{share: 1, tier: {tier}}}}}\n"))
    assert profile.tenants == (Tenant("a", 1, tier),)


def test_the_keys_of_a_profile_file_are_the_fields_of_a_profile() -> None:
    fields = {field.name for field in dataclasses.fields(Profile)}
    assert set(ProfileFile.model_fields) == fields - {"name", "person_share"}
