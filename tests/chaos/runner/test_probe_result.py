"""The result of the probe names what was called, what the endpoint said, and what helps."""

from __future__ import annotations

import pytest

from chaos.runner.probe_result import ProbeResult, failure_text, gateway_failure_text, notes, remedy


@pytest.mark.parametrize(
    ("outcome", "status", "message", "helps"),
    [
        ("refused", None, "Connection refused", "start the server"),
        ("refused", None, "Name or service not known", "correct the host"),
        ("refused", None, "the certificate is not accepted: self-signed certificate", "SSL_CERT_FILE"),
        ("refused", None, "[SSL: WRONG_VERSION_NUMBER] wrong version number", "write http://"),
        ("timeout", None, "no response within 20 s", "wait until the server has started"),
        ("stalled", 200, "the stream was silent for 20 s", "wait until the server has started"),
        ("reset", None, "no response", "the log of the server"),
        ("http_4xx", 307, "307 to /v2: redirects are refused", "the address that it points to"),
        ("http_4xx", 401, "no key", "key_env:"),
        ("http_4xx", 403, "no access", "key_env:"),
        ("http_4xx", 404, "The model `m` does not exist", "correct model:"),
        ("http_4xx", 400, "Invalid model name passed in model=m. Call `/v1/models`", "correct model:"),
        ("http_4xx", 400, "no such thing (model_not_found)", "correct model:"),
        ("http_4xx", 422, "model m is not supported", "correct model:"),
        ("http_4xx", 404, "Not Found", "correct the path"),
        ("http_4xx", 404, "no route matches /model", "correct the path"),
        (
            "http_4xx",
            400,
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead",
            "max_completion_",
        ),
        ("http_4xx", 400, "max_completion_tokens: extra fields not permitted", "max_tokens_field: max_tokens"),
        ("http_4xx", 400, "max_tokens: 16 is too small, minimum 32", "what the message names"),
        ("http_5xx", 500, "unexpected tool failure", "the log of the server"),
        ("refused", None, "No address associated with hostname", "correct the host"),
        ("http_4xx", 400, "tool_choice auto needs a parser", "tools: false"),
        ("http_5xx", 500, "tools param requires a flag", "tools: false"),
        ("http_4xx", 400, "stream_options: not permitted", "stream_options: false"),
        ("http_4xx", 400, "maximum context length is 512", "longer context"),
        ("http_4xx", 422, "strange", "what the message names"),
        ("rate_limited", 429, "slow down", "wait until the limit"),
        ("http_5xx", 503, "Loading model", "the log of the server"),
        ("corrupt", 200, "the target does not stream: it sent one JSON body", "stream: false"),
        ("corrupt", 200, "the body is not an event stream: Sign in (text/html)", "a web page"),
        ("corrupt", 200, "the answer is compressed (gzip)", "compression off"),
        ("corrupt", 200, "an event is not JSON", "docs/endpoints.md"),
        ("truncated", 200, "the stream ended without a finish reason", "the log of the server"),
        ("error_event", 200, "engine died", "the log of the server"),
    ],
)
def test_each_failure_has_a_remedy(outcome: str, status: int | None, message: str, helps: str) -> None:
    result = ProbeResult("http://127.0.0.1:1/v1/chat/completions", outcome, status, message)
    assert helps in remedy(result)
    text = failure_text(result)
    assert "no load was sent" in text
    assert "POST http://127.0.0.1:1/v1/chat/completions" in text
    assert message in text


def test_a_refused_key_names_its_variable() -> None:
    result = ProbeResult("http://h/v1", "http_4xx", 401, "Incorrect API key")
    assert "check the key in the environment variable MY_KEY" in failure_text(result, "MY_KEY")


def test_notes_tell_what_a_good_endpoint_leaves_out() -> None:
    assert [list(notes(ProbeResult("u", "ok", 200, usage=True, terminal=True)))] == [[]]
    usage, terminal = notes(ProbeResult("u", "ok", 200))
    assert "estimates" in usage
    assert "missing_terminal" in terminal


UPSTREAMS = ["http://127.0.0.1:18101", "http://127.0.0.1:18102"]


def test_a_gateway_that_fails_is_named_with_the_upstreams_that_it_must_have() -> None:
    text = gateway_failure_text(ProbeResult("http://g/v1", "http_5xx", 502, "bad gateway"), UPSTREAMS)
    assert "POST http://g/v1\n    status 502: bad gateway" in text
    assert text.endswith(
        "the upstreams of the gateway must be:\n        http://127.0.0.1:18101\n        http://127.0.0.1:18102\n"
        "    a gateway in a container reaches them in the network of this machine: docker run --network host"
    )
    refused = gateway_failure_text(ProbeResult("http://g/v1", "http_4xx", 401, "no key"), UPSTREAMS)
    assert "container" not in refused


def test_a_gateway_that_calls_somebody_else_is_told_its_upstreams() -> None:
    text = gateway_failure_text(ProbeResult("http://g/v1", "ok", 200), UPSTREAMS)
    assert text.startswith("the gateway answered, but none of the replicas got the call, and no load was sent")
    assert "give it these upstreams, and only these:\n        http://127.0.0.1:18101" in text


def test_a_refused_key_of_a_gateway_names_its_variable() -> None:
    result = ProbeResult("http://g/v1", "http_4xx", 401, "no key")
    assert "the environment variable MY_KEY" in gateway_failure_text(result, UPSTREAMS, "MY_KEY")


# -- the model --------------------------------------------------------------------------------------------------------
def test_a_refused_model_is_told_with_the_models_that_the_endpoint_lists() -> None:
    result = ProbeResult("http://g/v1", "http_4xx", 404, "The model `m` does not exist", models=("llama", "qwen"))
    assert remedy(result) == "correct model: under target:; it lists llama, qwen"


@pytest.mark.parametrize(
    ("asked", "answered", "at_replica", "says"),
    [
        ("llama", "qwen", "", "the answer is of the model qwen, not llama: "),
        ("llama", "llama", "qwen", "the replicas are asked for the model qwen, not llama: "),
        ("llama", "qwen", "qwen", "the replicas are asked for the model qwen, not llama: "),
        ("llama", "llama", "llama", None),
        ("llama", "", "", None),
        ("gpt-4o", "gpt-4o-2024-08-06", "", None),
        ("gpt-4o", "gpt-4o-mini", "", "the answer is of the model gpt-4o-mini, not gpt-4o: "),
    ],
)
def test_another_model_than_asked_for_is_named(asked: str, answered: str, at_replica: str, says: str | None) -> None:
    result = ProbeResult("u", "ok", 200, usage=True, terminal=True, model=answered, asked=asked)
    found = list(notes(result, at_replica))
    expected = [] if says is None else [f"{says}if that is no alias, correct model: under target:"]
    assert found == expected
