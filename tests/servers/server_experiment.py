"""A short experiment against a real server: a few small sessions, and a surge."""

from __future__ import annotations

from pathlib import Path

from tests.servers.real_server import RealServer

__all__ = ["write_experiment"]

PROFILE = """
title: Small sessions for a tiny model
arrivals: {constant: {rate: RATE}}
shared_prefix: 80
own_prefix: {min: 20, max: 60}
calls: {min: 2, max: 4}
appended: {min: 10, max: 30}
output: {min: OUTPUT, max: OUTPUT}
tool: 50ms
client: {timeout: 30s}
"""

EXPERIMENT = """
brownout: 1
name: NAME
title: A surge of sessions costs no session of a real server
target: {url: "URL", model: MODEL}
load: {profile: real-server-profile.yaml}
slo: {ttft: 10s, tpot: 5s}
timeline:
  warmup: 2s
  baseline: 6s
  faults:
    - {at: 0s, for: 5s, surge: {factor: 2}}
  recovery: 5s
  drain: 30s
gates:
  - sessions_lost == 0
  - silent_truncations == 0
  - lost_tokens == 0
seed: 3
"""


def write_experiment(folder: Path, server: RealServer, *, rate: float, output: int) -> Path:
    """Writes an experiment and its profile. Returns the path of the experiment.

    `rate`: sessions a second. `output`: tokens of an answer. The models' context has 8,192 tokens, each a letter.
    """
    profile = PROFILE.replace("RATE", str(rate)).replace("OUTPUT", str(output))
    (folder / "real-server-profile.yaml").write_text(profile)
    words = {"NAME": server.kind.environment, "URL": server.url, "MODEL": server.model}
    text = EXPERIMENT
    for word, value in words.items():
        text = text.replace(word, value)
    path = folder / f"{server.kind.environment}.yaml"
    path.write_text(text)
    return path
