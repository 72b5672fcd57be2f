"""The check of Host, Origin and token: which requests it refuses, with which status."""

from __future__ import annotations

from reports.shared.control_port import TOKEN_HEADER, refusal

TOKEN = "the-run's-token"


def test_a_request_from_loopback_with_the_token_is_allowed() -> None:
    assert refusal(["127.0.0.1:8000"], [], [TOKEN], TOKEN) is None


def test_a_foreign_host_is_403_and_a_wrong_token_is_401() -> None:
    assert refusal(["example.org"], [], [TOKEN], TOKEN) == (
        403,
        "the Host header must be 127.0.0.1, localhost or [::1]",
    )
    assert refusal(["localhost"], [], ["other"], TOKEN) == (
        401,
        f"the header {TOKEN_HEADER} is missing, or is not the run's token",
    )


def test_a_request_with_an_origin_is_refused_even_with_the_token() -> None:
    refused = refusal(["localhost"], ["http://localhost"], [TOKEN], TOKEN)
    assert refused is not None
    assert refused[0] == 403


def test_a_request_with_a_missing_or_repeated_host_or_token_is_refused() -> None:
    assert refusal(["localhost"], [], [TOKEN], TOKEN) is None
    assert refusal(["localhost", "localhost"], [], [TOKEN], TOKEN) is not None
    assert refusal([], [], [TOKEN], TOKEN) is not None
    assert refusal(["localhost"], [], [TOKEN, TOKEN], TOKEN) is not None
    assert refusal(["localhost\n"], [], [TOKEN], TOKEN) is not None


def test_every_request_is_refused_where_the_run_has_no_token() -> None:
    assert refusal(["localhost"], [], [""], "") == (
        401,
        "the header X-Brownout-Token is missing, or is not the run's token",
    )


def test_a_token_that_is_not_ascii_is_refused_without_an_error() -> None:
    assert refusal(["localhost"], [], ["t\udcffken"], TOKEN) is not None
