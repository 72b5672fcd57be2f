"""`brownout list --target FILE`: what a target can play, and why not the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.cli import playable as playable_module
from chaos.cli.listing import print_list
from chaos.cli.playable import playable
from chaos.experiment.model import Experiment, load_experiment
from reports.shared.errors import InvalidFile, Problem, UserError

USERS = "{url: 'http://127.0.0.1:4000', model: m, replicas: {stack: multi-cloud, first_port: 18101}}"
OF_OUR_GATEWAY = "scheduler-bottleneck"


def write(folder: Path, target: str) -> Path:
    path = folder / "target.yaml"
    path.write_text(f"brownout: 1\ntarget: {target}\n")
    return path


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few experiments only, which are read more quickly."""
    monkeypatch.setattr(playable_module, "experiment_names", lambda: ["lose-tpu-pool", "cut-streams", OF_OUR_GATEWAY])


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize("target", [USERS, "{stack: multi-cloud, gateway: {nginx: {}}}"])
def test_what_needs_our_gateway_comes_last_with_the_reason(tmp_path: Path, target: str) -> None:
    first, second, last = playable(write(tmp_path, target))
    assert [(one.name, one.why_not) for one in (first, second)] == [("cut-streams", ()), ("lose-tpu-pool", ())]
    assert any("gateway" in why for why in last.why_not)


@pytest.mark.usefixtures("some")
def test_an_endpoint_without_replicas_can_play_no_fault_of_replicas(tmp_path: Path) -> None:
    found = {one.name: one.why_not for one in playable(write(tmp_path, "{url: 'http://127.0.0.1:4000', model: m}"))}
    assert "kill needs replicas whose processes brownout starts, and this target has none" in found["lose-tpu-pool"]


@pytest.mark.usefixtures("some")
def test_the_list_is_printed_for_people_and_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, USERS)
    print_list("experiments", target=path, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], bool(row["why_not"])) for row in rows][:2] == [
        ("cut-streams", False),
        ("lose-tpu-pool", False),
    ]
    print_list("experiments", target=path, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split()[:2] for line in lines if line.startswith(("yes", "no"))]
    assert heads == [["yes", "cut-streams"], ["yes", "lose-tpu-pool"], ["no", OF_OUR_GATEWAY]]
    assert "2 of 3 can be played: brownout run NAME --target" in " ".join(lines)


@pytest.mark.usefixtures("some")
def test_a_mistake_in_the_target_is_no_reason_of_an_experiment(tmp_path: Path) -> None:
    path = write(tmp_path, USERS.replace("4000", "18101"))
    with pytest.raises(InvalidFile, match="port 18101 is that of your gateway") as caught:
        playable(path)
    assert len(caught.value.problems) == 1


@pytest.mark.usefixtures("some")
def test_what_depends_on_the_experiment_leaves_out_only_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the API of its clients, which the gateway does not pass on: the line is one of the target's file."""
    path = write(tmp_path, "{stack: multi-cloud, gateway: {nginx: {}}}")
    what = "nginx does not pass on the API anthropic, which the clients of the profile use"

    def loaded(name: str, target: Path | None = None) -> Experiment:
        if name == "lose-tpu-pool" and target is not None:
            raise InvalidFile([Problem(str(path), 2, what)])
        return load_experiment(name, target=target)

    monkeypatch.setattr(playable_module, "load_experiment", loaded)
    found = {one.name: one.why_not for one in playable(path)}
    assert (found["cut-streams"], found["lose-tpu-pool"]) == ((), (what,))


def test_only_experiments_depend_on_the_target(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"only experiments depend on the target\. Leave stacks out"):
        print_list("stacks", target=write(tmp_path, USERS), as_json=False)
