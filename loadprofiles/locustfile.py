"""Agent sessions against any endpoint, with nothing but Locust:

    locust -f loadprofiles/locustfile.py --headless -H http://127.0.0.1:8000 -t 30s
    locust -f loadprofiles/locustfile.py -H http://127.0.0.1:8000            with the web UI
    locust -f loadprofiles/locustfile.py --master | --worker                 worker k of n plays sessions k modulo n

Spans go wherever the OpenTelemetry SDK of the process sends them, if one was set up. Options: `--help`, "brownout".
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

# Locust puts the locustfile's folder first in sys.path, where our `profile` and others would hide modules of the same
# name of everybody else's: our parent folder takes its place (and is what Locust removes afterwards).
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
"""The test ends when Locust is told to."""

profile_named = functools.cache(resolved_profile)


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_arguments(parser: Any) -> None:
    """The load's own options; each can also be set by its environment variable."""
    group = parser.add_argument_group("brownout")

    def add(name: str, default: object, text: str, **more: object) -> None:
        variable = "BROWNOUT_" + name.strip("-").replace("-", "_").upper()
        group.add_argument(name, default=default, env_var=variable, help=text, **more)

    add("--load-profile", "coding-agent-ci", "Profile that ships, or a path to one of your own.")
    add("--seed", 7, "The same seed plays the same sessions.", type=int)
    add("--run-id", "", "Goes into session ids and texts; by default of this process.")
    add("--api", "", "openai or anthropic; by default the profile's.")
    add("--model", "llama-3.3-70b", "Model to ask for.")
    add("--retries", "", f"{', '.join(sorted(POLICIES))}; by default the profile's.")
    add("--trace", "", "Folder, or file, of recorded sessions to replay instead of the profile's.")
    add("--trace-options", "", "Options of the replay, for example rate=2,speed=20,limit=50.")
    add("--drain", 30.0, "Seconds that sessions get to end when the test stops.", type=float)
    add("--api-key-env", "", "Environment variable that holds the API key.")
    add("--idle-timeout", 0.0, "Seconds of silence in an answer after which a client hangs up; 0: none.", type=float)
    add("--slo-ttft", 2.0, "Seconds to the first token of a good call.", type=float)
    add("--slo-tpot", 0.1, "Seconds a token of a good call.", type=float)
    group.add_argument(
        "--yes-i-may", action="store_true", help="Allow a target that is not this machine. Ask its owner first."
    )


def trace_options(text: str) -> dict[str, object]:
    """`rate=2,limit=50` as options of a replay. Raises `UserError`."""
    options: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--trace-options: {part!r} is not NAME=VALUE")
        options[name.strip()] = _plain(value.strip())
    return options


def _plain(value: str) -> object:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def make_config(environment: Any) -> LoadConfig:
    """The configuration that the command line, or the web UI, asks for. Raises `UserError`."""
    options = environment.parsed_options
    if not environment.host:
        raise UserError("no target: give one with -H, for example -H http://127.0.0.1:8000")
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
    """Hosts the load in this process. The profile is read now, so that it takes nothing from the run's time."""
    if not environment.parsed_options.worker:
        with contextlib.suppress(UserError):  # it is told when the test starts
            profile_named(environment.parsed_options.load_profile)
    host(environment, lambda: make_config(environment))
