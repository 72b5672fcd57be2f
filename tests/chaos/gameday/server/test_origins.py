"""Which Host, Origin and Sec-Fetch-Site are accepted."""

from __future__ import annotations

import pytest

from chaos.gameday.server.origins import Origins

LOCAL = Origins(tls=False)
TLS = Origins(tls=True, names=["gameday.example", "*.lab.example", "192.168.1.5", "2001:DB8:0::1"])
PUBLIC = Origins(tls=False, public="https://gameday.example")


def allowed(origins: Origins, host: str, origin: str | None = None, site: str | None = None) -> bool:
    return (
        origins.refusal([host], [origin] if origin else [], [site] if site else [], post=bool(origin), data=True)
        is None
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8800", "localhost:9000", "LOCALHOST:1", "[::1]:8800", "127.0.0.1"])
def test_a_loopback_name_is_known_with_any_port_because_ssh_changes_it(host: str) -> None:
    assert allowed(LOCAL, host)
    assert allowed(LOCAL, host, f"http://{host.lower()}", "same-origin")


@pytest.mark.parametrize(
    "host",
    ["evil.example:8800", "127.0.0.1.evil.example", "", "127.0.0.1:8800@evil.example", "localhost:x", "local host",
     "localhost/", "localhost:8800, evil", "10.0.0.1:8800", "0.0.0.0:8800", "ｌocalhost", "[::1", "[[::1]]"],
)  # fmt: skip
def test_a_rebound_name_or_nonsense_is_refused(host: str) -> None:
    assert not allowed(LOCAL, host)


def test_a_request_needs_exactly_one_host() -> None:
    for hosts in ([], ["localhost", "localhost"]):
        assert LOCAL.refusal(hosts, [], [], post=False, data=False) is not None


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "https://localhost:8800", "null", "http://evil.example", "http://localhost:8800.evil",
     "localhost:8800", "http://127.0.0.1:8800", "http://localhost:8800/", ""],
)  # fmt: skip
def test_another_origin_is_refused_also_of_another_port_of_this_host(origin: str) -> None:
    for post in (True, False):
        assert LOCAL.refusal(["localhost:8800"], [origin], [], post=post, data=True) is not None


def test_a_change_needs_an_origin_and_a_page_does_not() -> None:
    assert "Origin" in (LOCAL.refusal(["localhost:8800"], [], [], post=True, data=True) or "")
    assert LOCAL.refusal(["localhost:8800"], [], [], post=False, data=True) is None
    two = ["http://localhost:8800", "http://localhost:8800"]
    assert LOCAL.refusal(["localhost:8800"], two, [], post=True, data=True) is not None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_data_is_refused_to_other_sites_and_pages_can_be_linked(site: str) -> None:
    assert LOCAL.refusal(["localhost:8800"], [], [site], post=False, data=True) is not None
    assert LOCAL.refusal(["localhost:8800"], [], [site], post=False, data=False) is None


def test_with_a_certificate_its_names_are_known() -> None:
    for host in ("gameday.example:8443", "a.lab.example", "192.168.1.5:1", "[2001:db8::1]:8443", "localhost:8443"):
        assert allowed(TLS, host, f"https://{host}")
    for host in ("lab.example", "a.b.lab.example", "other.example", "192.168.1.6"):
        assert not allowed(TLS, host)


def test_behind_a_proxy_only_the_public_url_is_known() -> None:
    assert allowed(PUBLIC, "gameday.example", "https://gameday.example", "same-origin")
    assert allowed(PUBLIC, "GameDay.example:443", "https://gameday.example")
    for host in ("localhost:8800", "127.0.0.1", "gameday.example:8443", "gameday.example:80"):
        assert not allowed(PUBLIC, host)
    assert not allowed(PUBLIC, "gameday.example", "http://gameday.example")


def test_the_name_of_the_cookie_holds_the_port_that_the_browser_sees() -> None:
    names = [LOCAL.cookie(host) for host in ("localhost:8800", "localhost:8801", "[::1]:8800", "localhost", "[::1]")]
    assert names == [f"brownout-gameday-{port}" for port in (8800, 8801, 8800, 80, 80)]
    assert PUBLIC.cookie("gameday.example") == "__Host-brownout-gameday-443"
