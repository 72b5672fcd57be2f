"""The configurations of the processes of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.runner.deployment import Deployment
from chaos.runner.record_writer import RunFolder
from targets.stack import load_stack


@pytest.mark.parametrize(("limit", "configured"), [(200_000, 200_000), (400_000, 290_000), (32_000, 32_000)])
def test_the_context_limit_of_a_replica_is_bounded_by_its_cache(tmp_path: Path, limit: int, configured: int) -> None:
    stack = replace(load_stack("multi-cloud"), context_limit=limit)
    folder = RunFolder(tmp_path, "test")
    deployment = Deployment.plan(stack, folder, "token", "http://127.0.0.1:1", 7)
    deployment.replica_spec("tpu-0")  # 290,000 tokens of cache
    assert json.loads(folder.child_config("tpu-0").read_text())["context_limit"] == configured
