"""The configuration of one replica."""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = ["ReplicaConfig"]

_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class ReplicaConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration of one replica, decoded from JSON (`msgspec.json.decode(data, type=ReplicaConfig)`).

    `name` is the process name ("tpu-0"), `hardware` a profile of `targets.hardware`. Port 0 takes any free port.
    For `cold_start_s` seconds after the start, `/health/ready` and the model's paths answer 503; `/health` answers 200.
    `context_limit` is the limit of prompt and answer together, in tokens; `seed` is the seed of the replica's draws.
    `request_log`: path of the file that gets a line as each request begins (`request_log.py`); "" for none.
    """

    name: str
    pool: str
    model: str
    hardware: str
    cloud: str = ""
    host: str = "127.0.0.1"
    port: _Port = 0
    control_port: _Port = 0
    cold_start_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    seed: int = 0
    context_limit: Annotated[int, msgspec.Meta(ge=16)] = 131_072
    request_log: str = ""
