"""The format of an experiment file: its options are those that the load generators know."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

from chaos.experiment.file import TraceFile
from chaos.experiment.target_format import TargetFile
from loadprofiles.client.client import WIRES
from loadprofiles.replay.shaping import TraceOptions


def choices_of(annotation: Any) -> set[Any]:
    """The values of an optional Literal."""
    literal, none = get_args(annotation)
    assert none is type(None)
    return set(get_args(literal))


def test_every_api_of_a_url_has_a_client() -> None:
    assert choices_of(TargetFile.model_fields["api"].annotation) == set(WIRES)


def test_the_ways_of_streaming_are_those_of_a_replay() -> None:
    in_replay = get_args(get_type_hints(TraceOptions)["streaming"])
    assert choices_of(TraceFile.model_fields["streaming"].annotation) == set(in_replay)


def test_every_option_of_a_replay_can_be_given_in_a_file() -> None:
    given = TraceFile.model_validate(
        {
            "dir": "recordings",
            "format": "azure",
            "rate": 2,
            "speed": 3,
            "max_pause": "4s",
            "shrink": 5,
            "max_calls": 6,
            "limit": 7,
            "streaming": "recorded",
            "skip_bad": True,
        }
    )
    assert set(TraceFile.model_fields) == given.model_fields_set
    options = given.options()
    assert (options.pop("dir"), options.pop("format")) == ("recordings", "azure")
    assert set(options) == {field.name for field in fields(TraceOptions)}
    assert TraceOptions(**options).max_pause_s == 4.0
