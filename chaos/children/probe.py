"""The probe: one call of the load's own client to a user's endpoint, in a process of its own.

    python -m chaos.children.probe        BROWNOUT_CONFIG: the configuration of the load

Prints the result as one line of JSON. It has a process of its own, because the client runs on gevent and the runner
does not.
"""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

import os  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402

import gevent  # noqa: E402
import msgspec  # noqa: E402

from chaos.children.environment import Environment  # noqa: E402
from loadprofiles.client.client import Client  # noqa: E402
from loadprofiles.client.clock import now_s  # noqa: E402
from loadprofiles.client.records import AgentContext, CallRecord  # noqa: E402
from loadprofiles.player.load_config import LoadConfig, read_load_config  # noqa: E402
from loadprofiles.sessions.session import MAIN_AGENT, Call, Message  # noqa: E402
from reports.shared.attributes import Outcome  # noqa: E402
from reports.shared.errors import UserError  # noqa: E402
from reports.shared.tokens import Marker, marker_text  # noqa: E402

__all__ = ["MAX_TOKENS", "MODELS_WITHIN_S", "TRIES", "WAIT_S", "WITHIN_S", "main", "probe"]

MAX_TOKENS = 16
WAIT_S = 20.0
"""The longest wait for bytes, seconds."""
WITHIN_S = 30.0
"""The whole probe, all tries together, seconds."""
MODELS_WITHIN_S = 3.0
"""The list of the models, where the endpoint refused the model."""
TRIES = 3
"""Calls at most, 1 s apart, if the endpoint is busy or still starting."""

_MAY_PASS = (Outcome.RATE_LIMITED, Outcome.HTTP_5XX, Outcome.RESET)


def probe(config: LoadConfig) -> dict[str, object]:
    """Makes the call, and returns what the runner needs. Raises `UserError` for options that cannot be used."""
    options = config.client_options()
    client = Client(replace(options, retries="none", timeout_s=min(options.timeout_s, WAIT_S)))
    url = client.endpoint.url(client.wire.path)
    record: CallRecord | None = None
    models: list[str] = []
    try:
        with gevent.Timeout(WITHIN_S, False):
            for attempt in range(TRIES):
                if attempt:
                    gevent.sleep(1.0)
                record = _call(client, config, attempt)
                if record.outcome not in _MAY_PASS:
                    break
        if record is not None and record.status in (400, 404, 422) and "model" in record.message.lower():
            models = client.models(MODELS_WITHIN_S)
    finally:
        client.close()
    if record is None:
        message = f"no complete answer of {MAX_TOKENS} tokens within {WITHIN_S:g} s"
        return {"url": url, "outcome": Outcome.STALLED.value, "message": message}
    answer = record.answer
    return {
        "models": models,
        "session": record.call.marker.session,
        "model": (answer.model or "") if answer is not None else "",
        "url": url,
        "outcome": record.outcome.value,
        "status": record.status,
        "message": record.message,
        "ttft_s": record.ttft_s,
        "e2e_s": record.e2e_s,
        "usage": bool(answer is not None and answer.usage.output_tokens),
        "terminal": bool(answer is not None and answer.end_count),
    }


def _call(client: Client, config: LoadConfig, turn: int) -> CallRecord:
    marker = Marker(f"{config.run}-probe", MAIN_AGENT, turn)
    messages = (
        Message("system", "You are a helpful assistant."),
        Message("user", f"Say hello in one sentence. {marker_text(marker)}"),
    )
    call = Call(MAIN_AGENT, turn, messages, MAX_TOKENS, True, marker, config.profile.client.stream)
    return client.call(call, AgentContext(marker.session, MAIN_AGENT, None, config.seed), now_s())


def main() -> int:
    """Runs the command line; returns the exit code."""
    try:
        result = probe(read_load_config(Environment(os.environ).config))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(msgspec.json.encode(result).decode(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
