"""For all tests: an example of hypothesis has no time limit, because a busy machine is no fault of the code."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

settings.register_profile("brownout", deadline=None)
settings.load_profile("brownout")


def pytest_configure(config: pytest.Config) -> None:
    """Twelve thousand tests are collected: the garbage collector would look at all of them again and again."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):  # this process collects
        gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so that no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()
    gc.enable()
