"""Addresses, ports, public URLs: what is refused, with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.gameday.server.serving import Serving
from reports.shared.errors import UserError


def why(serving: Serving) -> str:
    with pytest.raises(UserError) as refused:
        serving.check()
    return str(refused.value)


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_loopback_needs_no_certificate(listen: str) -> None:
    Serving(listen=listen).check()


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "192.168.1.5"])
@pytest.mark.parametrize("public_url", [None, "https://gameday.example"])
def test_another_address_needs_a_certificate_also_behind_a_proxy(listen: str, public_url: str | None) -> None:
    text = why(Serving(listen=listen, public_url=public_url))
    assert "--certificate FILE and --key FILE" in text
    assert "127.0.0.1" in text


@pytest.mark.parametrize("listen", ["", "gameday.example", "127.0.0.1:8800", "1.2.3", "*"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    assert "give an IP address of this machine" in why(Serving(listen=listen))


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    assert "1 to 65535" in why(Serving(port=port))


def test_a_certificate_and_its_key_come_together() -> None:
    assert "--certificate needs --key" in why(Serving(certificate=Path("a.pem")))
    assert "--key needs --certificate" in why(Serving(key=Path("a.key")))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://gameday.example", "https://gameday.example"),
        ("https://GameDay.example:443/", "https://gameday.example"),
        ("https://gameday.example:8443", "https://gameday.example:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_public_url_is_scheme_host_and_port(url: str, origin: str) -> None:
    Serving(public_url=url).check()
    assert Serving(public_url=url).public_origin() == origin


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://gameday.example", "must begin with https://"),
        ("ftp://localhost", "must begin with https://"),
        ("gameday.example", "not the URL of a server"),
        ("https://", "not the URL of a server"),
        ("https://a b", "not the URL of a server"),
        ("https://a:port", "not the URL of a server"),
        ("https://a:0", "port 0"),
        ("https://a\r\nb", "not the URL of a server"),
        ("https://a:99999", "not the URL of a server"),
        ("https://[::1", "not the URL of a server"),
        ("https://ana:secret@gameday.example", "user or a password"),
        ("https://gameday.example/exercise", "no path"),
        ("https://gameday.example?a=b", "no path"),
        ("https://gameday.example/#t=x", "no path"),
    ],
)
def test_a_public_url_with_anything_else_is_refused(url: str, text: str) -> None:
    found = why(Serving(public_url=url))
    assert text in found
    assert "https://gameday.example" in found
