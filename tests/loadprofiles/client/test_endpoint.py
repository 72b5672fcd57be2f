"""The address that a target's URL means, and what is refused without repeating a secret."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadprofiles.client.endpoint import (
    UrlMistake,
    environment_problem,
    header_problem,
    is_key_header,
    is_loopback,
    parse_endpoint,
    reserved_header,
)
from reports.shared.errors import UserError

CHAT, MESSAGES = "/chat/completions", "/messages"
LOCAL = "http://127.0.0.1:8000"
SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    ("url", "called"),
    [
        (LOCAL, f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/v1", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/v1/", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}//v1//", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/openai", f"{LOCAL}/openai/v1/chat/completions"),
        (f"{LOCAL}/v1/chat/completions", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/v1/chat/completions/", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/chat/completions", f"{LOCAL}/chat/completions"),
        (f"{LOCAL}/v1/messages", f"{LOCAL}/v1/chat/completions"),
        (f"{LOCAL}/v1beta/openai", f"{LOCAL}/v1beta/openai/chat/completions"),
        (f"{LOCAL}/api/paas/v4", f"{LOCAL}/api/paas/v4/chat/completions"),
        (f"{LOCAL}/v2rc1", f"{LOCAL}/v2rc1/chat/completions"),
        (f"{LOCAL}/V1", f"{LOCAL}/V1/chat/completions"),
        (f"{LOCAL}/vllm", f"{LOCAL}/vllm/v1/chat/completions"),
        (f"{LOCAL}/my-v1", f"{LOCAL}/my-v1/v1/chat/completions"),
        (f"{LOCAL}/a%20b", f"{LOCAL}/a%20b/v1/chat/completions"),
        ("http://127.0.0.1", "http://127.0.0.1/v1/chat/completions"),
        ("http://127.0.0.1:80", "http://127.0.0.1/v1/chat/completions"),
        ("https://127.0.0.1:443/v1", "https://127.0.0.1/v1/chat/completions"),
        ("https://127.0.0.1:80/v1", "https://127.0.0.1:80/v1/chat/completions"),
        ("HTTP://LOCALHOST:8000", "http://localhost:8000/v1/chat/completions"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/chat/completions"),
        ("http://[::1]", "http://[::1]/v1/chat/completions"),
        (
            f"{LOCAL}/openai/deployments/x?api-version=2024-10-21",
            f"{LOCAL}/openai/deployments/x/chat/completions?api-version=2024-10-21",
        ),
        (
            f"{LOCAL}/openai/deployments/x/chat/completions?api-version=2024-10-21",
            f"{LOCAL}/openai/deployments/x/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_a_url_means_the_address_that_its_writer_meant(url: str, called: str) -> None:
    assert parse_endpoint(url, allow_remote=False).url(CHAT) == called


def test_a_pasted_address_of_the_messages_api_is_called_as_it_is() -> None:
    assert parse_endpoint(f"{LOCAL}/v1/messages", allow_remote=False).target(MESSAGES) == "/v1/messages"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not an http"),
        ("127.0.0.1:8000", "not an http"),
        ("localhost:8000/v1", "not an http"),
        ("ftp://127.0.0.1", "not an http"),
        ("http://", "no host"),
        ("http:///v1", "no host"),
        ("http://:8000", "no host"),
        ("http://127.0.0.1:", "no usable port"),
        ("http://127.0.0.1:0", "no usable port"),
        ("http://127.0.0.1:65536", "is not a URL"),
        ("http://127.0.0.1:http", "is not a URL"),
        ("http://[::1", "is not a URL"),
        (f"{LOCAL}/#top", "fragment"),
        (f"{LOCAL}/v1#", "fragment"),
        (f" {LOCAL}", "a space in it (at character 1)"),
        (f"{LOCAL}/a b", "a space in it"),
        (f"{LOCAL}/a\tb", "a control character in it"),
        (f"{LOCAL}/v1\r\nX: y", "a control character in it"),
        (f"{LOCAL}/a\\b", "the character \\ in it"),
        (f"{LOCAL}/{{id}}", "the character { in it"),
        (f'{LOCAL}/"v1"', 'the character " in it'),
        (f"{LOCAL}/m\u00fcnchen", "a letter outside ASCII"),
        ("http://m\u00fcnchen.example/v1", "xn--mnchen-3ya.example"),
        (f"http://me:{SECRET}@127.0.0.1:8000", "a user or a password"),
        (f"http://{SECRET}@127.0.0.1:8000", "a user or a password"),
        (f"http://me:{SECRET}@127.0.0.1:port", "is not a URL"),
        (f"http://me:{SECRET}@", "user or a password"),
        (f"{LOCAL}/v1?key={SECRET}", "a query"),
        (f"{LOCAL}/v1?api-version=1&key={SECRET}", "a query"),
        (f"http://127.0.0.1:{SECRET}/v1", "is not a URL"),
        (f"{LOCAL}/v1?key={SECRET}#x", "fragment"),
        (f"http://me:{SECRET}@m\u00fcnchen.example", "a letter outside ASCII"),
    ],
)
def test_a_url_that_cannot_be_called_is_named_without_its_secret(url: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_endpoint(url, allow_remote=True)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert isinstance(caught.value, UrlMistake)
    assert caught.value.remedy


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LocalHost", "[::1]"])
def test_loopback_needs_no_permission(host: str) -> None:
    assert is_loopback(f"http://{host}:1")
    assert parse_endpoint(f"http://{host}:1", allow_remote=False).port == 1


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com", "[2001:db8::1]", "127.1"]
)
def test_another_host_needs_permission(host: str) -> None:
    with pytest.raises(UserError, match="--yes-i-may"):
        parse_endpoint(f"http://{host}:8000", allow_remote=False)
    assert parse_endpoint(f"http://{host}:8000", allow_remote=True).authority == f"{host}:8000"


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40), st.text(alphabet="htp:/@[]?#%.1a \\\u00e9", max_size=40).map(lambda s: f"http://{s}")
    )
)
def test_any_text_is_an_endpoint_or_a_users_mistake(url: str) -> None:
    try:
        endpoint = parse_endpoint(url, allow_remote=True)
    except UserError:
        return
    endpoint.url(CHAT).encode("ascii")
    assert " " not in endpoint.url(CHAT)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("plain", ""),
        ("caf\u00e9", ""),
        ("a\tb", ""),
        (f"{SECRET}\n", f"a line break at character {len(SECRET) + 1}"),
        (f"{SECRET}\u20ac", "outside latin-1"),
        (f"{SECRET}\x00", "a control character"),
        (f" {SECRET}", "a space at its beginning or end"),
    ],
)
def test_a_header_value_that_cannot_be_sent_is_named_without_itself(value: str, says: str) -> None:
    problem = header_problem(value)
    assert problem == says == "" or (says and says in problem)
    assert SECRET not in problem


def test_an_environment_variable_is_named_and_its_value_is_not() -> None:
    assert environment_problem("KEY", None) == "the environment variable KEY is not set"
    assert environment_problem("KEY", "") == "the environment variable KEY is empty"
    assert environment_problem("KEY", SECRET) == ""
    found = environment_problem("KEY", SECRET + "\n")
    assert "KEY" in found
    assert SECRET not in found


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "traceparent", "a b", "a:b", "", "\u00e9"]
)
def test_headers_of_the_client_and_impossible_names_are_refused(name: str) -> None:
    assert reserved_header(name)


@pytest.mark.parametrize("name", ["Authorization", "x-goog-api-key", "User-Agent", "OpenAI-Organization"])
def test_a_users_own_header_is_accepted(name: str) -> None:
    assert reserved_header(name) == ""


@pytest.mark.parametrize(
    ("name", "is_key"),
    [
        ("x-portkey-config", False),
        ("x-portkey-provider", False),
        ("X-Author", False),
        ("x-portkey-api-key", True),
        ("Authorization", True),
        ("X-Auth", True),
        ("x-goog-api-key", True),
    ],
)
def test_a_header_that_only_names_a_product_is_no_key(name: str, is_key: bool) -> None:
    assert is_key_header(name) is is_key
