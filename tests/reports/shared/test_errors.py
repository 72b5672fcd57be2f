"""Errors and suggestions: their text and their order."""

from __future__ import annotations

from reports.shared.errors import InvalidFile, Problem, UserError, did_you_mean, similar


def test_did_you_mean_suggests_the_most_similar_word_or_lists_all() -> None:
    assert did_you_mean("tup", ["tpu", "nvidia"]) == 'did you mean "tpu"?'
    assert did_you_mean("xyz", ["tpu", "nvidia"]) == "it is one of: nvidia, tpu"
    assert did_you_mean("TPU", ["tpu"]) == 'did you mean "tpu"?'
    assert did_you_mean("a", []) == ""
    assert did_you_mean("95%", ["95%", "96%"]) == 'did you mean "96%"?', "never what was written"


def test_similar_returns_the_most_similar_first_and_ignores_case() -> None:
    assert similar("Replica", ["replica", "replicas", "pool"], most=2) == ["replica", "replicas"]
    assert similar("Replica", ["replica", "replicas"]) == ["replica"]
    assert similar("xyz", ["replica"]) == []


def test_invalid_file_lists_its_problems_in_the_order_of_lines_with_remedies() -> None:
    error = InvalidFile([Problem("b.yaml", 7, "is odd"), Problem("b.yaml", 2, "is wrong", "write 3")])
    assert str(error) == "b.yaml:2: is wrong\n    write 3\nb.yaml:7: is odd"
    assert [problem.line for problem in error.problems] == [2, 7]
    assert isinstance(error, UserError)


def test_a_problem_without_a_line_names_only_the_file() -> None:
    assert str(Problem("no.yaml", 0, "there is no such file")) == "no.yaml: there is no such file"
