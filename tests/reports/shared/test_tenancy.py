"""Whose call it is."""

from __future__ import annotations

import pytest

from reports.shared.tenancy import Account, account_of, key_of


@pytest.mark.parametrize(
    ("header", "account"),
    [
        ("Bearer sk-brownout-acme.batch", Account("acme", "batch")),
        ("bearer  sk-brownout-acme", Account("acme")),
        ("sk-brownout-acme.corp.batch", Account("acme.corp", "batch")),
        ("Bearer sk-somebody-else", Account()),
        ("", Account()),
        ("Basic sk-brownout-acme", Account()),
        ("Bearer sk-brownout-caf\udce9.batch", Account("caf\\udce9", "batch")),
    ],
)
def test_a_key_names_its_tenant_and_tier(header: str, account: Account) -> None:
    assert account_of(header) == account


def test_what_was_written_is_read() -> None:
    assert account_of("Bearer " + key_of("acme", "batch")) == Account("acme", "batch")
    assert account_of(key_of("acme")) == Account("acme")
    assert account_of(key_of("acme.corp")) == Account("acme.corp")
    assert account_of(key_of("acme.corp", "batch")) == Account("acme.corp", "batch")
