"""What a team copies from docs/ci: it is valid, names what exists, and gives nothing away."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from chaos.experiment.model import experiment_names
from targets.adapters.catalogue import ADAPTERS
from targets.stack import stack_names
from tests.support.doc_pages import yaml_blocks
from tests.support.paths import ROOT
from tests.support.trend_runs import report_of, write_run

CI: Final = ROOT / "docs" / "ci"
PAGE: Final = ROOT / "docs" / "resilience-gate.md"
GITHUB: Final = (CI / "github-workflow.yml").read_text(encoding="utf-8")
GITLAB: Final = (CI / "gitlab-ci.yml").read_text(encoding="utf-8")
PYTEST: Final = (CI / "test_resilience.py").read_text(encoding="utf-8")
OURS: Final = "OWNER/brownout@COMMIT"
"""What a reader replaces."""

ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
JOBS: Final[dict[str, Any]] = yaml.safe_load(GITHUB)["jobs"]
STEPS: Final = [step for job in JOBS.values() for step in job["steps"]]
GITLAB_JOBS: Final = {name: job for name, job in yaml.safe_load(GITLAB).items() if name != "variables"}


def on_the_page() -> list[dict[str, Any]]:
    """The steps of the workflow that the page shows."""
    blocks = [yaml.safe_load(text) for _, text in yaml_blocks(PAGE)]
    return [step for block in blocks for job in block["jobs"].values() for step in job["steps"]]


def gates() -> list[list[str]]:
    """The words of each `brownout gate` in the examples and on the page."""
    lines = [line for job in GITLAB_JOBS.values() for line in job.get("script", [])]
    lines += [line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    ")]
    return [shlex.split(line)[2:] for line in lines if re.match(r"(\S*/)?brownout gate ", line)]


@cache
def options_of_gate() -> set[str]:
    command = [sys.executable, "-P", "-m", "chaos.cli.app", "gate", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env={"PYTHONPATH": str(ROOT)})
    if done.returncode:
        pytest.skip("this brownout has no command gate yet")
    return set(re.findall(r"--[a-z][a-z-]+", done.stdout))


def test_every_option_of_a_documented_gate_exists() -> None:
    used = {word.partition("=")[0] for words in gates() for word in words if word.startswith("--")}
    assert used >= {"--against", "--baseline", "--out", "--repeat", "--until-decided"}
    assert used - options_of_gate() == set()


def test_every_option_that_the_action_passes_exists() -> None:
    script = (ROOT / "tools" / "action" / "steps.py").read_text(encoding="utf-8")
    assert (
        set(re.findall(r'"(--[a-z-]+)": "[A-Z_]+"', script)) | {"--until-decided", "--tolerance"} <= options_of_gate()
    )


def test_every_experiment_stack_and_gateway_of_the_examples_exists() -> None:
    words = {word for line in gates() for word in line}
    inputs = [step["with"] for step in (*STEPS, *on_the_page()) if step.get("uses") == OURS]
    named = {line.strip() for given in inputs for line in given["experiments"].splitlines()}
    named |= {line[0] for line in gates()}
    assert named <= set(experiment_names())
    assert {given["stack"] for given in inputs} - {"deploy/stack.yaml"} <= set(stack_names())
    assert {word.partition(":")[0] for word in words if re.fullmatch(r"[a-z]+:[a-z-]+", word)} <= set(ADAPTERS)


@pytest.mark.parametrize("step", [step for step in (*STEPS, *on_the_page()) if step.get("uses") == OURS], ids=str)
def test_a_workflow_gives_the_action_only_inputs_that_it_has(step: dict[str, Any]) -> None:
    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert all(isinstance(value, str) for value in step["with"].values()), "quoted, so that YAML keeps the text"


def test_a_workflow_uses_only_outputs_that_the_action_has() -> None:
    used = set(re.findall(r"steps\.gate\.outputs\.([\w-]+)", GITHUB))
    assert used
    assert used <= ACTION["outputs"].keys()


def test_actions_of_others_are_pinned_by_commit() -> None:
    lines = re.findall(r"uses: (.*)", GITHUB + PAGE.read_text(encoding="utf-8"))
    pinned = re.compile(r"actions/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in lines if not line.startswith(OURS) and not pinned.fullmatch(line)] == []


def test_one_action_has_one_commit_everywhere() -> None:
    text = GITHUB + PAGE.read_text(encoding="utf-8") + (ROOT / "action.yml").read_text(encoding="utf-8")
    found = set(re.findall(r"uses: (actions/[\w-]+)[\w/-]*@([0-9a-f]{40} # \S+)", text))
    assert len({name for name, _ in found}) == len(found)


def test_no_input_and_no_text_of_others_becomes_a_part_of_a_script() -> None:
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("text", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_an_example_needs_no_secret(text: str) -> None:
    assert re.findall(r"secrets\.|password|TOKEN: [A-Za-z0-9]", text) == []


def test_only_the_comment_may_write_and_it_checks_nothing_out() -> None:
    assert yaml.safe_load(GITHUB)["permissions"] == {"contents": "read"}
    writing = {name: job for name, job in JOBS.items() if "permissions" in job}
    assert list(writing) == ["comment"]
    assert [step for step in writing["comment"]["steps"] if "checkout" in step.get("uses", "")] == []


@pytest.mark.parametrize("known", ["", "77\n78\n"], ids=["first", "later"])
def test_the_comment_is_written_once_and_then_updated(tmp_path: Path, known: str) -> None:
    (step,) = [step for step in JOBS["comment"]["steps"] if step.get("name") == "Comment"]
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "summary.md").write_text("# Gate: fail\n")
    called = tmp_path / "called"
    program = tmp_path / "gh"  # in place of GitHub's: writes down its words, and lists the comments that are there
    program.write_text(f"""#!/bin/sh
echo "$*" | cut -c1-70 >>{called}
case "$*" in *--paginate*) printf '{known}' ;; esac
""")
    program.chmod(0o755)
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GH_REPO": "o/r", "NUMBER": "5"}
    subprocess.run(["bash", "-c", step["run"]], cwd=tmp_path, env={**os.environ, **given}, check=True)
    asked, written = called.read_text().splitlines()
    assert asked.startswith("api repos/o/r/issues/5/comments --paginate --jq .[] | select(.user.lo")
    patch = "api --method PATCH repos/o/r/issues/comments/77 -F body=@comment.md"
    assert written == (patch if known else "pr comment 5 --body-file comment.md")
    assert (tmp_path / "comment.md").read_text() == "<!-- brownout -->\n# Gate: fail\n"


def test_the_step_for_the_history_shows_the_runs_of_all_nights(tmp_path: Path) -> None:
    (step,) = [step for step in JOBS["nightly"]["steps"] if step.get("name") == "History"]
    gate = tmp_path / "brownout-gate"
    page = tmp_path / "step-summary.md"
    for night in (1, 2):
        shutil.rmtree(gate, ignore_errors=True)
        for number in (1, 2):
            report = report_of({"goodput": 500.0}, day=night + number / 100, seed=number, name="lose-tpu-pool")
            write_run(gate / "runs" / f"lose-tpu-pool-{number}", report)
        (gate / "gate.json").write_text('{"version": "0.1.0"}')
        (gate / "runs" / "latest").symlink_to("lose-tpu-pool-2")
        given = {"OUT": "brownout-gate", "GITHUB_RUN_ID": f"1000{night}", "GITHUB_STEP_SUMMARY": str(page)}
        program = str(Path(sys.executable).with_name("brownout"))
        done = subprocess.run(
            ["bash", "-c", step["run"]],
            cwd=tmp_path,
            env={**os.environ, **given, "BROWNOUT": program},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert sorted(step["env"]) == ["BROWNOUT", "OUT"]
    assert "4 runs" in page.read_text()
    assert len(list((tmp_path / "history").rglob("*.json"))) == 6


def test_every_job_has_a_time_limit() -> None:
    assert [name for name, job in JOBS.items() if "timeout-minutes" not in job] == []
    assert "timeout" in GITLAB_JOBS[".brownout"]


def test_the_results_of_a_failed_gate_are_kept_on_gitlab() -> None:
    base = GITLAB_JOBS[".brownout"]
    assert base["artifacts"]["when"] == "always"
    assert base["allow_failure"] == {"exit_codes": [3]}
    for name, job in GITLAB_JOBS.items():
        if name != ".brownout":
            assert job["extends"] == ".brownout"
            out = re.findall(r"--out (\S+)", " ".join(job["script"]))
            assert out == base["artifacts"]["paths"]
    assert base["artifacts"]["reports"]["junit"] == "brownout-gate/junit.xml"


def test_the_example_for_pytest_uses_options_that_run_has() -> None:
    if importlib.util.find_spec("brownout.client") is None:
        pytest.skip("this brownout has no pytest plugin yet")
    client: Any = importlib.import_module("brownout.client")
    possible = inspect.signature(client.run).parameters.keys()
    calls = [node for node in ast.walk(ast.parse(PYTEST)) if isinstance(node, ast.Call)]
    runs = [call for call in calls if ast.unparse(call.func) == "brownout.run"]
    assert len(runs) == 3
    assert {word.arg for call in runs for word in call.keywords} <= possible
    assert {ast.literal_eval(call.args[0]) for call in runs} <= set(experiment_names())


def test_the_page_shows_a_test_of_the_example() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (body,) = re.findall(r"^    brownout.*$", shown, re.M)
    assert body in PYTEST
