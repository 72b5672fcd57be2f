"""YAML files: which documents are accepted, and the line and text of each mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.shared.documents import (
    NotFound,
    document_names,
    find_document,
    parse_document,
    read_document,
)
from reports.shared.errors import InvalidFile


def problems_of(text: str) -> list[tuple[int, str]]:
    """The line and the text of each problem of a document."""
    with pytest.raises(InvalidFile) as caught:
        parse_document(text, "x.yaml")
    assert all(problem.file == "x.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.what) for problem in caught.value.problems]


def test_yaml_is_read_with_the_core_schema_of_yaml_1_2() -> None:
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


def test_aliases_are_resolved() -> None:
    assert parse_document("a: &x [1, 2]\nb: *x\n", "x").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: x: y\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\nb: \x07\n", 2, "character that YAML does not allow"),
        ("", 1, "is empty"),
        ("b: 1\na: " + "[" * 2000, 2, "nested too deeply"),
        ("b: 1\na:\n " + "- " * 2000, 3, "nested too deeply"),
        ("# nothing\n", 1, "has nothing but comments"),
        ("- 1\n- 2\n", 1, "must be a mapping"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "a key must be plain text"),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "tag that is not allowed"),
        ("a: 1\nb: !!int x\n", 2, "does not match its tag"),
        ("a: 1\nb: &b [*b]\n", 2, "contains itself"),
    ],
)
def test_syntax_mistakes_are_reported_with_their_line(text: str, line: int, what: str) -> None:
    [(found_line, found_what)] = problems_of(text)
    assert found_line == line
    assert what in found_what


def test_each_duplicate_key_is_reported() -> None:
    assert problems_of("a: 1\nb: {x: 1,\n  x: 2}\na: 3\n") == [
        (3, '"x" is given twice (first on line 2)'),
        (4, '"a" is given twice (first on line 1)'),
    ]


def test_nested_aliases_are_limited_to_bound_the_memory() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    [(_, what)] = problems_of("a0: &a0 [1]\n" + levels)
    assert "more than" in what


def test_a_missing_or_unreadable_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="there is no such file"):
        read_document(tmp_path / "no.yaml")
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_document(tmp_path)


def test_a_file_that_is_not_utf8_is_reported_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(InvalidFile) as caught:
        read_document(path)
    assert [(p.file, p.line, p.what) for p in caught.value.problems] == [(str(path), 2, "is not UTF-8 text")]


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_document(path).data == {"a": 1}


@given(st.text(max_size=200))
def test_any_text_gives_a_document_or_invalid_file(text: str) -> None:
    try:
        document = parse_document(text, "x")
    except InvalidFile as error:
        problems = error.problems
    else:
        problems = ()
        assert isinstance(document.data, dict)
    assert all(problem.what and problem.file == "x" for problem in problems)


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
    assert find_document("own.yaml", shipped, kind="stack", base=own.parent) == own
    with pytest.raises(NotFound, match=r'there is no stack "nave"\n    did you mean "naive"\?'):
        find_document("nave", shipped, kind="stack")
    with pytest.raises(NotFound, match=r"there is no stack file"):
        find_document("./other.yaml", shipped, kind="stack")


def test_reading_a_document_does_not_import_pydantic() -> None:
    code = (
        "import sys, reports.shared.documents as d; d.parse_document('a: 1', 'x'); sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
