"""A file that names a target, for `--target`."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.experiment.model import GatewayChoice, load_experiment
from chaos.experiment.target_file import read_target
from reports.shared.errors import InvalidFile, UserError
from tests.support.paths import ROOT

USERS = "target: {url: 'http://127.0.0.1:4000', model: m, replicas: {stack: naive, first_port: 18101}}\n"


def write(folder: Path, text: str, name: str = "target.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(InvalidFile) as caught:
        load_experiment("lose-tpu-pool", target=path)
    assert {problem.file for problem in caught.value.problems} == {str(path)}
    return [(problem.line, problem.what) for problem in caught.value.problems]


def test_the_target_of_the_file_replaces_that_of_the_experiment(tmp_path: Path) -> None:
    experiment = load_experiment("lose-tpu-pool", target=write(tmp_path, "brownout: 1\n" + USERS))
    assert experiment.name == "lose-tpu-pool"
    assert (experiment.front, experiment.own_gateway, experiment.first_port) == ("running", False, 18_101)
    assert experiment.url is not None
    assert experiment.stack is not None
    assert (experiment.url.url, experiment.stack.name) == ("http://127.0.0.1:4000", "naive")
    assert experiment.faults[0].targets == ("tpu-0", "tpu-1")


def test_the_target_of_a_whole_experiment_is_used(tmp_path: Path) -> None:
    """Of the rest, nothing counts: not even a mistake in it."""
    text = (ROOT / "chaos/experiments/lose-tpu-pool.yaml").read_text().replace("multi-cloud", "naive")
    path = write(tmp_path, text + "surprise: 1\n")
    document, mistakes = read_target(path)
    assert mistakes == []
    assert document.data["target"] == {"stack": "naive"}
    experiment = load_experiment("cut-streams", target=path)
    assert experiment.stack is not None
    assert (experiment.name, experiment.stack.name) == ("cut-streams", "naive")


def test_a_stack_is_searched_in_the_folder_of_the_target_file(tmp_path: Path) -> None:
    write(tmp_path, (ROOT / "targets/stacks/naive.yaml").read_text().replace("name: naive", "name: own"), "own.yaml")
    path = write(tmp_path, "brownout: 1\n" + USERS.replace("stack: naive", "stack: own.yaml"))
    experiment = load_experiment("lose-tpu-pool", target=path)
    assert experiment.stack is not None
    assert experiment.stack.name == "own"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (USERS, 1, '"brownout" is missing'),
        ("brownout: 1\n", 1, '"target" is missing'),
        ("brownout: 2\n" + USERS, 1, '"brownout" must be 1, not 2'),
        ("brownout: 1\ntarget:\n", 2, '"target" must be a mapping'),
        ("brownout: 1\ntarget: here\n", 2, '"target"'),
        ("brownout: 1\nexpect: 5\n" + USERS, 2, 'unknown key "expect"'),
        ("brownout: 1\n" + USERS.replace("naive", "nave"), 2, 'no stack "nave"'),
        ("brownout: 1\n" + USERS.replace("model: m, ", ""), 2, '"model" is missing'),
        ("brownout: 1\n" + USERS.replace("4000", "18102"), 2, "port 18102 is that of your gateway"),
        ("brownout: 1\ntarget: {stack: naive, gateway: {nginy: {}}}\n", 2, 'there is no gateway "nginy"'),
        ("brownout: 1\ntarget: {stack: naive, gateway: nginx:tuned}\n", 2, "must name the gateway as a key"),
        ("brownout: 1\ntarget: {stack: naive, gateway: {nginx: tuned}}\n", 2, 'must give settings to "nginx"'),
        ("brownout: 1\ntarget: {stack: naive, gateway: {nginx: }}\n", 2, 'must give settings to "nginx"'),
        ("brownout: 1\ntarget: {stack: naive, gateway: {nginx: {}}, api: [openai]}\n", 2, '"target.api"'),
        ("brownout: 1\ntarget: {\n", 0, ""),
        ("", 0, ""),
        ("- a list\n", 0, ""),
    ],
)
def test_a_mistake_is_reported_in_the_target_file(tmp_path: Path, text: str, line: int, what: str) -> None:
    found = problems(write(tmp_path, text))
    assert any(what in its for _, its in found), found
    if line:
        assert [where for where, its in found if what in its] == [line]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml"):
        read_target(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stack": "naive"}, "--stack and --target exclude each other: both name the target"),
        ({"gateway": GatewayChoice("nginx")}, "--gateway and --target exclude each other: both name the target"),
    ],
)
def test_two_options_that_name_the_target_exclude_each_other(tmp_path: Path, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        load_experiment("lose-tpu-pool", target=write(tmp_path, "brownout: 1\n" + USERS), **options)


def test_mistakes_of_format_and_of_content_are_reported_together(tmp_path: Path) -> None:
    target = "{url: 'http://127.0.0.1:4000', key_env: a-b, replicas: {stack: nave, first_port: 70000}}"
    found = "; ".join(what for _, what in problems(write(tmp_path, f"brownout: 1\ntarget: {target}\n")))
    for what in ('"model" is missing', "not the name of an environment variable", "at most 65535", 'no stack "nave"'):
        assert what in found


def test_a_string_in_the_place_of_a_gateway_is_answered_with_what_to_write(tmp_path: Path) -> None:
    path = write(tmp_path, "brownout: 1\ntarget: {stack: naive, gateway: nginx:tuned}\n")
    with pytest.raises(InvalidFile, match=r"write gateway: \{nginx: \{preset: tuned\}\}"):
        load_experiment("lose-tpu-pool", target=path)
