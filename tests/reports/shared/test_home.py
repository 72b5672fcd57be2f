"""`~` in paths of users."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.shared.errors import UserError
from reports.shared.home import expanded


def test_a_leading_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/traces") == Path("/home/me/traces")
    assert expanded(Path("~")) == Path("/home/me")
    assert expanded("a/~/b") == Path("a/~/b")


def test_an_unknown_home_folder_is_a_mistake_with_a_remedy() -> None:
    with pytest.raises(UserError) as caught:
        expanded("~nobody-of-this-name/traces")
    assert str(caught.value) == (
        '~nobody-of-this-name/traces: no home folder is known for "~nobody-of-this-name". Write the whole path'
    )
