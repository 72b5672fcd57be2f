"""Resilience gates as tests of pytest: copy this into your tests. Explained in docs/resilience-gate.md.

The fixture `brownout` comes with the package. Two tests with it never play at the same time on one machine.
"""

from __future__ import annotations

from typing import Any


def test_a_lost_pool_costs_no_session(brownout: Any) -> None:
    brownout.run("lose-tpu-pool", stack="multi-cloud").assert_passed()


def test_streams_are_continued_no_worse_than_without_migration(brownout: Any) -> None:
    brownout.run("cut-streams", stack="multi-cloud", against="no-migration", repeat=6).assert_passed()


def test_a_cut_stream_is_never_taken_for_a_whole_answer(brownout: Any) -> None:
    (experiment,) = brownout.run("cut-streams", stack="multi-cloud").experiments
    (truncations,) = [gate for gate in experiment.gates if gate.measure == "silent_truncations"]
    assert truncations.verdict == "pass", truncations.why
