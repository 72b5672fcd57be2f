from __future__ import annotations

from typing import get_args, get_type_hints

from chaos.experiment.target_format import TargetFile
from loadprofiles.client.client import WIRES
from loadprofiles.client.wire import argument_tokens
from loadprofiles.sessions.profile import Client
from loadprofiles.sessions.profile_file import ProfileFile


def test_incomplete_arguments_give_the_tokens_so_far() -> None:
    assert argument_tokens('{"input":"abcd') == ("abcd", False)
    assert argument_tokens('{"input":"abcd"') == ("abcd", False)
    assert argument_tokens('{"inp') == ("", False)
    assert argument_tokens('{"other":1}') == ('{"other":1}', False)


def test_the_apis_of_profiles_and_experiments_are_the_implemented_ones() -> None:
    assert set(get_args(get_type_hints(Client)["api"])) == set(WIRES)
    client = ProfileFile.model_fields["client"].annotation
    assert client is not None
    assert set(get_args(client.model_fields["api"].annotation)) == set(WIRES)
    (literal, _) = get_args(TargetFile.model_fields["api"].annotation)
    assert set(get_args(literal)) == set(WIRES)


def test_each_api_is_registered_by_its_provider_name() -> None:
    assert {name: wire.provider for name, wire in WIRES.items()} == {name: name for name in WIRES}
