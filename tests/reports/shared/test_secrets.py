"""Keys in text are masked, and ordinary words are not."""

from __future__ import annotations

import pytest

from reports.shared.secrets import has_secret, masked


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-abc***********wxyz.",
        "Bearer abcdef123456 is not valid",
        "my-own-secret is wrong",
        "key AIzaSyA1234567890",
        "hf_abcdefghijkl1234",
    ],
)
def test_keys_are_masked(text: str) -> None:
    shown = masked(text, ["my-own-secret"])
    assert "***" in shown
    assert not any(part in shown for part in ("wxyz", "abcdef", "my-own", "AIzaSy", "hf_abc"))


@pytest.mark.parametrize(
    "text", ["invalid_api_key", "set api-version to 2024-06-01", "key_env", "risk-free", "task-1234567"]
)
def test_ordinary_words_are_not_masked(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "curl -H 'Authorization: Bearer $MY_TOKEN' http://127.0.0.1",
        'curl -H "Authorization: Bearer ${MY_TOKEN}"',
        'curl -H "Authorization: Bearer $(cat token-file)"',
        "https://$USER_NAME:$PASSWORD@host/path",
        "ssh://git@host/path",
        "docker stop tpu-0",
        "docker stop api-gateway-prod-1",
        "kubectl delete pod litellm-api-7f8c9d6b5-abcde",
        "token-service-0001",
        "disk-sk-replica-1",
        "https://${USER_NAME}:${PASSWORD}@host/path",
        "mysql --password=$PASSWORD",
        "PGPASSWORD=${PASSWORD} psql",
        "vault --token $(cat token-file)",
        "kubectl get secret --password-file keys.txt",
    ],
)
def test_a_reference_to_a_variable_or_a_user_name_is_no_secret(text: str) -> None:
    assert not has_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123",
        "https://me:pass@host",
        "https://me:$A-pass@host",
        "--key=sk-abcdef123",
        "--token ${TOKEN:-sk-abcdef123456}",
        "$(echo sk-abcdef123456)",
        "Bearer ${T:-abcdef123}",
        "hf_abcdefghijkl1234",
        "mysql --password=hunter2",
        "PGPASSWORD=hunter2 psql",
        "tool --api-key abcdef123",
        "git clone ghp_abcdefghijklmnop1234",
        "aws AKIAABCDEFGHIJKLMNOP",
    ],
)
def test_a_secret_in_a_text_is_found(text: str) -> None:
    assert has_secret(text)
