"""A user's file: every mistake at once, each with its line and what would be right."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from reports.shared.documents import (
    Duration,
    Mistake,
    NotFound,
    Percentage,
    did_you_mean,
    document_names,
    duration_s,
    duration_text,
    find_document,
    fraction,
    parse_document,
    read_document,
    validate,
)
from reports.shared.errors import InvalidFile, Problem


def problems_of(text: str, schema: Any = None) -> list[tuple[int, str, str]]:
    def read() -> None:
        document = parse_document(text, "x.yaml")
        if schema is not None:
            validate(document, schema)

    with pytest.raises(InvalidFile) as caught:
        read()
    assert all(problem.file == "x.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


PERCENTAGE = "write a percentage (30%) or a fraction between 0 and 1 (0.3)"

# -- reading ------------------------------------------------------------------------------------------------------


def test_every_key_and_item_knows_its_line() -> None:
    document = parse_document("a: 1\nb:\n  - {x: 1}\n  - y: 2\n    z: 3\n", "x.yaml")
    assert document.data == {"a": 1, "b": [{"x": 1}, {"y": 2, "z": 3}]}
    assert [document.line(path) for path in [("a",), ("b",), ("b", 0), ("b", 0, "x"), ("b", 1, "z")]] == [1, 2, 3, 3, 5]


def test_what_is_not_in_the_file_has_the_line_of_what_is_around_it() -> None:
    document = parse_document("a: 1\nb:\n  c: 1\n", "x.yaml")
    assert document.line(("b", "missing", 3)) == 2
    assert document.line(("missing",)) == 1
    assert document.problem(("b", "c"), "is odd", "mend it") == Problem("x.yaml", 3, "is odd", "mend it")


def test_yaml_is_read_by_the_core_schema() -> None:
    text = "a: no\nb: 1:30\nc: 2026-01-01\nd: 010\ne: 1e3\nf: true\ng: ~\nh: -1.5\ni: .inf\nj: 0\nk: '1'\nl:\n"
    inf = float("inf")
    assert parse_document(text, "x").data == {
        "a": "no",
        "b": "1:30",
        "c": "2026-01-01",
        "d": "010",
        "e": 1000.0,
        "f": True,
        "g": None,
        "h": -1.5,
        "i": inf,
        "j": 0,
        "k": "1",
        "l": None,
    }


def test_aliases_are_followed() -> None:
    assert parse_document("a: &x [1, 2]\nb: *x\n", "x").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: x: y\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: \x07\n", 2, "character that YAML does not allow"),
        ("", 0, "is empty"),
        ("a: " + "[" * 2000, 0, "nested too deeply"),
        ("# nothing\n", 0, "is empty"),
        ("- 1\n- 2\n", 1, "must be a mapping"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "a key must be plain text"),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "tag that is not allowed"),
        ("a: 1\nb: !!int x\n", 2, "is not what its tag says"),
        ("a: 1\nb: &b [*b]\n", 2, "contains itself"),
    ],
)
def test_mistakes_of_form_are_named_with_their_line(text: str, line: int, what: str) -> None:
    [(found_line, found_what, _)] = problems_of(text)
    assert found_line == line
    assert what in found_what


def test_a_key_given_twice_is_a_mistake_and_all_of_them_are_reported() -> None:
    assert [(line, what) for line, what, _ in problems_of("a: 1\nb: {x: 1,\n  x: 2}\na: 3\n")] == [
        (3, '"x" is there twice (first on line 2)'),
        (4, '"a" is there twice (first on line 1)'),
    ]


def test_aliases_of_aliases_cannot_fill_the_memory() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    [(_, what, _)] = problems_of("a0: &a0 [1]\n" + levels)
    assert "more than" in what


def test_a_missing_or_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="there is no such file"):
        read_document(tmp_path / "no.yaml")
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_document(tmp_path)


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(InvalidFile) as caught:
        read_document(path)
    assert [(p.file, p.line, p.what) for p in caught.value.problems] == [(str(path), 2, "is not UTF-8 text")]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_document(path).data == {"a": 1}


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_an_invalid_file(text: str) -> None:
    try:
        document = parse_document(text, "x")
    except InvalidFile as error:
        problems = error.problems
    else:
        problems = ()
        assert isinstance(document.data, dict)
    assert all(problem.what and problem.file == "x" for problem in problems)


# -- validating ---------------------------------------------------------------------------------------------------


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


def test_a_good_document_becomes_its_value() -> None:
    text = "name: a\npools:\n  tpu: {hardware: tpu-v6e-8}\nwait: 300ms\nshare: 30%\n"
    value = validate(parse_document(text, "x"), Outer)
    assert (value.wait, value.share, value.pools["tpu"].replicas) == (0.3, 0.3, 1)


def test_every_mistake_is_reported_at_once_with_line_and_remedy() -> None:
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


def test_a_misspelt_key_is_one_mistake_and_not_two() -> None:
    assert problems_of("nmae: a\n", Outer) == [(1, 'unknown key "nmae"', 'did you mean "name"?')]


def test_a_missing_key_says_what_it_is() -> None:
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
def test_a_value_of_the_wrong_kind_is_named_in_words(text: str, what: str, remedy: str) -> None:
    text = text.replace("POOL:", "name: a\npools: {x: {hardware: h100-4, ") + ("}}" if "POOL:" in text else "")
    assert [problem[1:] for problem in problems_of(text, Outer)] == [(what, remedy)]


def test_standard_dataclasses_that_forbid_extra_keys_are_checked_too() -> None:
    @dataclasses.dataclass(frozen=True)
    class Config:
        __pydantic_config__ = ConfigDict(extra="forbid")
        window: int
        wait: Duration = 2.0

    adapter = TypeAdapter(Config)
    assert validate(parse_document("window: 3\nwait: 2m\n", "x"), adapter) == Config(3, 120.0)
    assert problems_of("windw: 3\n", adapter) == [(1, 'unknown key "windw"', 'did you mean "window"?')]
    assert problems_of("wait: 3\n", adapter) == [(1, '"window" is missing', 'add "window: ..."')]


def test_a_discriminated_union_names_the_line_below_its_branch() -> None:
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
    # the keys of the other branch are no help
    assert problems_of("arrivals:\n  kind: b\n  peak: 1\n  x: 1\n", Load) == [
        (4, 'unknown key "x" in "arrivals"', "the keys here are: kind, peak")
    ]
    assert problems_of("arrivals:\n  kind: c\n", Load) == [
        (1, '"arrivals": kind "c" is not known here', "it is one of: a, b")
    ]


def test_reading_and_the_types_do_not_import_pydantic() -> None:
    code = (
        "import sys, reports.shared.documents as d; d.parse_document('a: 1', 'x'); sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- units --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("300ms", 0.3), ("2m", 120), ("1.5 h", 5400), ("3", 3), (4, 4), (0.5, 0.5), ("0s", 0)],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5 parsecs", "1m30s", None, True, [], float("nan"), float("inf"), "-1s", -1])
def test_what_is_no_duration_is_a_mistake(text: object) -> None:
    with pytest.raises(Mistake):
        duration_s(text)


@given(st.floats(min_value=0, max_value=1e6, allow_nan=False))
def test_a_duration_in_milliseconds_is_read_to_the_microsecond(seconds: float) -> None:
    assert duration_s(f"{seconds * 1000:.3f}ms") == pytest.approx(seconds, abs=1e-6)


def test_durations_are_shown_as_people_write_them() -> None:
    assert [duration_text(s) for s in (0, 0.3, 15, 119.5, 120, 125)] == [
        "0 s",
        "300 ms",
        "15 s",
        "119.5 s",
        "2 min",
        "2 min 5 s",
    ]


def test_percentages_are_fractions() -> None:
    assert [fraction(value) for value in ("30%", 0.3, 1, "100 %", "0%")] == [0.3, 0.3, 1.0, 1.0, 0.0]
    for wrong in ("30", 30, "-1%", True, None, "101%"):
        with pytest.raises(Mistake):
            fraction(wrong)


# -- names --------------------------------------------------------------------------------------------------------


def test_an_unknown_word_gets_the_nearest_or_all() -> None:
    assert did_you_mean("tup", ["tpu", "nvidia"]) == 'did you mean "tpu"?'
    assert did_you_mean("xyz", ["tpu", "nvidia"]) == "it is one of: nvidia, tpu"
    assert did_you_mean("TPU", ["tpu"]) == 'did you mean "tpu"?'
    assert did_you_mean("a", []) == ""


def test_documents_are_found_by_name_and_by_path(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "naive.yaml").write_text("a: 1")
    own = tmp_path / "mine" / "own.yaml"
    own.parent.mkdir()
    own.write_text("a: 1")
    assert document_names(shipped) == ["naive"]
    assert find_document("naive", shipped, kind="stack") == shipped / "naive.yaml"
    assert find_document(str(own), shipped, kind="stack") == own
    assert find_document("own.yaml", shipped, kind="stack", beside=own.parent) == own
    with pytest.raises(NotFound, match=r'there is no stack "nave"\n    did you mean "naive"\?'):
        find_document("nave", shipped, kind="stack")
    with pytest.raises(NotFound, match=r"there is no stack file"):
        find_document("./other.yaml", shipped, kind="stack")
