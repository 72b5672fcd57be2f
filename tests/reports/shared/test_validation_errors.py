"""Values that do not fit a schema: the line, text and remedy of each problem."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from reports.shared.documents import parse_document, validate
from reports.shared.errors import InvalidFile
from reports.shared.units import Duration, Mistake, Percentage


def problems_of(text: str, schema: Any) -> list[tuple[int, str, str]]:
    """The line, text and remedy of each problem of a document."""
    with pytest.raises(InvalidFile) as caught:
        validate(parse_document(text, "x.yaml"), schema)
    assert all(problem.file == "x.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


class Pool(BaseModel):
    model_config = ConfigDict(extra="forbid")
    hardware: Literal["tpu-v6e-8", "h100-4"]
    replicas: int = Field(default=1, ge=1, le=8)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="a short name")
    pools: dict[str, Pool] = {}
    items: list[Pool] = []
    wait: Duration = 1.0
    share: Percentage | None = None
    other: int | bool | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if " " in name:
            raise Mistake("has a space", "use a dash")
        return name


def test_a_valid_document_becomes_the_value_of_its_schema() -> None:
    text = "name: a\npools:\n  tpu: {hardware: tpu-v6e-8}\nwait: 300ms\nshare: 30%\n"
    value = validate(parse_document(text, "x"), Outer)
    assert (value.wait, value.share, value.pools["tpu"].replicas) == (0.3, 0.3, 1)


def test_all_mistakes_are_reported_with_line_and_remedy() -> None:
    text = """\
name: a b
pools:
  tpu:
    hardware: tpu-v6e8
    replica: 2
  gpu: {hardware: h100-4, replicas: 0}
items:
  - hardware: 3
wait: -5s
share: 130%
extra: 1
"""
    assert problems_of(text, Outer) == [
        (1, '"name": has a space', "use a dash"),
        (4, '"pools.tpu.hardware": "tpu-v6e8" is not known here', 'did you mean "tpu-v6e-8"?'),
        (5, 'unknown key "replica" in "pools.tpu"', 'did you mean "replicas"?'),
        (6, '"pools.gpu.replicas" must be at least 1, not 0', ""),
        (8, '"items[1].hardware": 3 is not known here', "it is one of: h100-4, tpu-v6e-8"),
        (9, '"wait": a duration cannot be negative: "-5s"', "write a duration of 0 or more"),
        (
            10,
            '"share": "130%" is not between 0% and 100%',
            "write a percentage (30%) or a fraction between 0 and 1 (0.3)",
        ),
        (11, 'unknown key "extra"', "the keys here are: items, name, other, pools, share, wait"),
    ]


def test_a_misspelt_required_key_is_reported_once() -> None:
    assert problems_of("nmae: a\n", Outer) == [(1, 'unknown key "nmae"', 'did you mean "name"?')]


def test_a_missing_key_is_reported_with_its_description() -> None:
    assert problems_of("wait: 1\n", Outer) == [(1, '"name" is missing', "add it: a short name")]
    assert problems_of("name: a\npools:\n  x: {}\n", Outer) == [
        (3, '"hardware" is missing in "pools.x"', "add it, one of: tpu-v6e-8, h100-4")
    ]


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("name: 3", '"name" must be text, not 3', "put it in quotes"),
        ("name: a\npools: 3", '"pools" must be a mapping of keys to values, not 3', ""),
        ("name: a\nitems: {}", '"items" must be a list, not a mapping', ""),
        ("name: a\npools: {x: [1]}", '"pools.x" must be a mapping of keys to values, not a list', ""),
        (
            "name: a\npools: {x: {hardware: h100-4, replicas: two}}",
            '"pools.x.replicas" must be a whole number, not "two"',
            "",
        ),
        (
            "name: a\npools: {x: {hardware: h100-4, replicas: 1.5}}",
            '"pools.x.replicas" must be a whole number, not 1.5',
            "",
        ),
        ("name:", '"name" must be text, not empty', ""),
    ],
)
def test_a_value_of_the_wrong_type_is_reported_with_the_expected_type(text: str, what: str, remedy: str) -> None:
    assert [problem[1:] for problem in problems_of(text, Outer)] == [(what, remedy)]


def test_unknown_keys_of_a_standard_dataclass_are_reported() -> None:
    @dataclasses.dataclass(frozen=True)
    class Config:
        __pydantic_config__ = ConfigDict(extra="forbid")
        window: int
        wait: Duration = 2.0

    adapter = TypeAdapter(Config)
    assert validate(parse_document("window: 3\nwait: 2m\n", "x"), adapter) == Config(3, 120.0)
    assert problems_of("windw: 3\n", adapter) == [(1, 'unknown key "windw"', 'did you mean "window"?')]
    assert problems_of("wait: 3\n", adapter) == [(1, '"window" is missing', 'add "window: ..."')]


def test_problems_in_a_discriminated_union_have_the_line_of_the_key() -> None:
    class A(BaseModel):
        model_config = ConfigDict(extra="forbid")
        kind: Literal["a"]
        rate: float

    class B(BaseModel):
        model_config = ConfigDict(extra="forbid")
        kind: Literal["b"]
        peak: float

    class Load(BaseModel):
        arrivals: Annotated[A | B, Field(discriminator="kind")]

    assert problems_of("arrivals:\n  kind: b\n  peek: 1\n", Load) == [
        (3, 'unknown key "peek" in "arrivals"', 'did you mean "peak"?')
    ]
    # only the keys of the selected branch are suggested
    assert problems_of("arrivals:\n  kind: b\n  peak: 1\n  x: 1\n", Load) == [
        (4, 'unknown key "x" in "arrivals"', "the keys here are: kind, peak")
    ]
    assert problems_of("arrivals:\n  kind: c\n", Load) == [
        (1, '"arrivals": kind "c" is not known here', "it is one of: a, b")
    ]
