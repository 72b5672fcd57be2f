"""What holds for every adapter, and the choice of one by name and preset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.shared.errors import UserError
from targets.adapters.base import Adapter, Debian, LogFile, Npm, Pip
from targets.adapters.cache import planned
from targets.adapters.catalogue import ADAPTERS, find_adapter, parse_choice
from tests.support.fake_gateway import site

CHOICES = [f"{adapter.name}:{preset}" for adapter in ADAPTERS.values() for preset in adapter.presets]

each_adapter = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=list(ADAPTERS))
each_choice = pytest.mark.parametrize("choice", CHOICES)

EVERYWHERE = re.compile(r"0\.0\.0\.0|\*:\d|\[::\]|::\d|bind :|listen \d+;")


@each_adapter
def test_an_adapter_states_the_facts_that_users_see(adapter: Adapter) -> None:
    assert ADAPTERS[adapter.name] is adapter
    assert {"default", "tuned"} <= set(adapter.presets)
    assert all(1 < len(text) < 120 for text in [*adapter.presets.values(), adapter.title])
    assert adapter.apis <= {"openai", "anthropic"}
    assert adapter.ready.startswith("/")
    assert adapter.docs.startswith("https://")
    assert adapter.size_mb > 0


@each_adapter
def test_what_is_installed_is_pinned(adapter: Adapter) -> None:
    match adapter.install:
        case Pip(requirements):
            assert all(re.fullmatch(r"[\w\[\]-]+==[\d.]+", requirement) for requirement in requirements)
            assert requirements[0].endswith(f"=={adapter.version}")
        case Npm(version=version):
            assert version == adapter.version
        case Debian(packages):
            assert packages


@each_choice
def test_a_configuration_has_every_replica_by_name_and_address(choice: str, tmp_path: Path) -> None:
    adapter, preset = parse_choice(choice)
    where = site(tmp_path, preset)
    text = "".join(adapter.files(where).values())
    for upstream in where.upstreams:
        assert upstream.name in text
        assert str(upstream.port) in text
    assert f'preset "{preset}": {adapter.presets[preset]}' in text


@each_choice
def test_a_gateway_listens_on_loopback_only(choice: str, tmp_path: Path) -> None:
    adapter, preset = parse_choice(choice)
    where = site(tmp_path, preset)
    command = " ".join(adapter.command(where, planned(adapter)))
    text = "".join(adapter.files(where).values())
    assert EVERYWHERE.search(text + command) is None
    assert "4000" in text + command


@each_choice
def test_everything_that_is_started_or_written_has_a_fixed_place(choice: str, tmp_path: Path) -> None:
    adapter, preset = parse_choice(choice)
    where = site(tmp_path, preset)
    installed = planned(adapter)
    command = adapter.command(where, installed)
    assert str(installed.program) in command
    assert all(Path(word).is_absolute() for word in command[:1])
    assert any(str(tmp_path) in word for word in command)
    assert all(not name.startswith("/") and ".." not in name for name in adapter.files(where))
    assert all("=" not in name for name in adapter.environment(where))


@each_adapter
def test_statistics_of_a_strange_page_are_refused_or_empty(adapter: Adapter, tmp_path: Path) -> None:
    statistics = adapter.statistics
    if statistics is None:
        return
    if isinstance(statistics, LogFile):
        states = statistics.parse(site(tmp_path, "default"), "<html>busy</html>\n")
        assert {(state.attempts, state.refused) for state in states.values()} == {(0, 0)}
    else:
        with pytest.raises(ValueError, match="this is not"):
            statistics.parse(site(tmp_path, "default"), "<html>busy</html>\n")


def test_a_choice_without_a_preset_has_the_default_one() -> None:
    assert parse_choice("litellm") == (ADAPTERS["litellm"], "default")
    assert parse_choice("litellm:tuned") == (ADAPTERS["litellm"], "tuned")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("ngnix", 'there is no gateway "ngnix"\n    did you mean "nginx"?'),
        ("traefik", "it is one of: envoy, haproxy, litellm, nginx"),
        ("nginx:tund", 'nginx has no preset "tund"\n    did you mean "tuned"?'),
        ("nginx:", 'nginx has no preset ""'),
        ("", 'there is no gateway ""'),
    ],
)
def test_an_unknown_name_or_preset_gets_a_remedy(choice: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        parse_choice(choice)


def test_a_preset_is_no_part_of_a_name() -> None:
    with pytest.raises(UserError, match='did you mean "nginx"'):
        find_adapter("nginx:tuned")
