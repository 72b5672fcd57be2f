"""Plays agent sessions against any endpoint, with Locust alone:

    locust -f loadprofiles/locustfile.py --headless -H http://127.0.0.1:8000 -t 30s
    locust -f loadprofiles/locustfile.py -H http://127.0.0.1:8000 --web-host 127.0.0.1     with the web UI
    locust -f loadprofiles/locustfile.py --master | --worker                 worker k of n plays sessions k modulo n

Spans are exported by the process's OpenTelemetry SDK, if one is configured. Options: group "brownout" in `--help`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

# Locust puts the locustfile's folder first in sys.path, where our modules (`draws`, `replay`) would hide other modules
# of the same name. Put our parent folder there instead (Locust removes the first entry afterwards).
_HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [os.path.dirname(_HERE) if os.path.realpath(entry) == _HERE else entry for entry in sys.path]

from locust import events  # noqa: E402

from loadprofiles.player.load_config import LoadConfig, Slo  # noqa: E402
from loadprofiles.player.locust_host import AgentSessions, host  # noqa: E402
from loadprofiles.retries import POLICIES  # noqa: E402
from loadprofiles.sessions.resolve_profile import resolved_profile  # noqa: E402
from reports.shared.errors import UserError  # noqa: E402

__all__ = ["AgentSessions"]

NO_HORIZON_S = 1e9
"""No time limit for arrivals: the test ends when Locust stops."""

profile_named = functools.cache(resolved_profile)


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: Any) -> None:
    """Adds the load's own options. Each can also be set by its environment variable."""
    group = parser.add_argument_group("brownout")

    def add(name: str, default: object, text: str, **more: object) -> None:
        variable = "BROWNOUT_" + name.strip("-").replace("-", "_").upper()
        group.add_argument(name, default=default, env_var=variable, help=text, **more)

    add("--load-profile", "coding-agent-ci", "Name of a shipped profile, or path of a profile file.")
    add("--seed", 7, "The same seed plays the same sessions.", type=int)
    add("--run-id", "", "Part of session ids and texts; by default the start time.")
    add("--api", "", "openai or anthropic; by default the profile's.")
    add("--model", "llama-3.3-70b", "Model to request.")
    add("--retries", "", f"Client retry policy: {', '.join(sorted(POLICIES))}; by default the profile's.")
    add("--trace", "", "Folder or file of recorded sessions to replay instead of the profile's.")
    add("--trace-options", "", "Options of the replay, for example rate=2,speed=20,limit=50.")
    add("--drain", 30.0, "Seconds that running sessions get to end when the test stops.", type=float)
    add("--api-key-env", "", "Environment variable that holds the API key.")
    add("--idle-timeout", 0.0, "Seconds without data in an answer before the client gives up; 0: none.", type=float)
    add("--slo-ttft", 2.0, "Longest time to the first token of a good call, in seconds.", type=float)
    add("--slo-tpot", 0.1, "Longest time per output token of a good call, in seconds.", type=float)
    group.add_argument(
        "--yes-i-may", action="store_true", help="Allow a target that is not this machine. Ask its owner first."
    )


def trace_options(text: str) -> dict[str, object]:
    """Parses `rate=2,limit=50` into options of a replay. Raises `UserError`."""
    options: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--trace-options: {part!r} is not NAME=VALUE, for example rate=2")
        options[name.strip()] = _parse_value(value.strip())
    return options


def _parse_value(value: str) -> object:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def make_config(environment: Any) -> LoadConfig:
    """The load's configuration from the command line or the web UI. Raises `UserError`."""
    options = environment.parsed_options
    if not environment.host:
        raise UserError("no target: set one with -H, for example -H http://127.0.0.1:8000")
    profile = profile_named(options.load_profile)
    if options.retries:
        profile = replace(profile, client=replace(profile.client, retries=options.retries))
    trace = {"dir": options.trace, **trace_options(options.trace_options)} if options.trace else None
    return LoadConfig(
        url=environment.host,
        model=options.model,
        profile=profile,
        run=options.run_id or f"{time.time_ns() // 1_000_000:x}",
        api=options.api or None,
        api_key_env=options.api_key_env or None,
        trace=trace,
        seed=options.seed,
        horizon_s=NO_HORIZON_S,
        drain_s=options.drain,
        slo=Slo(options.slo_ttft, options.slo_tpot),
        idle_s=options.idle_timeout or None,
        allow_remote=options.yes_i_may,
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, **_: object) -> None:
    """Sets up the load in this process. Reads the profile now, so that reading does not delay the start of the load."""
    if not environment.parsed_options.worker:
        with contextlib.suppress(UserError):  # the error is reported when the test starts
            profile_named(environment.parsed_options.load_profile)
    host(environment, lambda: make_config(environment))
