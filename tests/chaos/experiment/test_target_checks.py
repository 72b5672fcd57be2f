from __future__ import annotations

import pytest

from chaos.experiment.model import UrlTarget
from chaos.experiment.target_checks import environment_problems, needs_permission

TARGET = UrlTarget(
    "http://127.0.0.1:8000", "m", key_env="MY_KEY", headers={"X-Team": "payments", "X-Token": {"env": "TEAM_TOKEN"}}
)


def test_every_variable_that_cannot_be_used_is_named() -> None:
    assert environment_problems(TARGET, {"TEAM_TOKEN": "a b\r"}) == [
        "key_env: the environment variable MY_KEY is not set",
        "headers: X-Token: the value of the environment variable TEAM_TOKEN has a line break at character 4 of 4",
    ]
    assert environment_problems(TARGET, {"MY_KEY": "k", "TEAM_TOKEN": "t"}) == []


@pytest.mark.parametrize(
    ("url", "remote"),
    [("http://localhost:1", False), ("http://[::1]", False), ("http://10.0.0.1", True), ("https://api.example", True)],
)
def test_a_target_that_is_not_this_machine_needs_permission(url: str, remote: bool) -> None:
    assert needs_permission(UrlTarget(url, "m")) is remote
