"""The address of a target: which URL is called, from what a user wrote. Pure: nothing is resolved or called.

What is called is the base path, then the API's own path:

    http://127.0.0.1:8000                       /v1/chat/completions
    http://127.0.0.1:8000/v1/                   /v1/chat/completions
    https://host/v1beta/openai                  /v1beta/openai/chat/completions   (a version of its own)
    https://host/api/v1/chat/completions        as it is                          (a pasted address)
    https://host/openai/deployments/x?api-version=2024-10-21                      (Azure)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from loadprofiles.client.api_paths import API_PATHS
from reports.shared.errors import UserError

__all__ = [
    "Endpoint",
    "UrlMistake",
    "environment_problem",
    "header_problem",
    "is_key_header",
    "is_loopback",
    "parse_endpoint",
    "reserved_header",
]

_EXAMPLE = "write it as http://127.0.0.1:8000"
_VERSION = re.compile(r"v\d+((alpha|beta|rc|p)\d*)?", re.IGNORECASE)
_API_PATHS = [tuple(path.strip("/").split("/")) for path in API_PATHS.values()]
_AZURE_QUERY = re.compile(r"api-version=[A-Za-z0-9.-]+")
_FORBIDDEN = re.compile(r'[\x00-\x20\x7f"<>\\^`{|}]')
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_KEY_NAME = re.compile(r"auth(?!or\b)|(?<!port)key|token|secret|cookie|passw|credential", re.IGNORECASE)
_RESERVED = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade"}
)


class UrlMistake(UserError):
    """A URL that cannot be a target. `what` continues "the URL"; `remedy` says what would be right.

    No part of it repeats a password or a query of the URL, which may contain a key.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"the target's URL {what}; {remedy}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The target's address. `base_path` comes before the API's own path, `query` after it, with its question mark."""

    host: str
    port: int
    tls: bool
    base_path: str
    query: str = ""

    @property
    def authority(self) -> str:
        """Host and port, as in the `Host` header: the scheme's usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def url(self, path: str) -> str:
        """The whole address of an API's path."""
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.target(path)}"

    def target(self, path: str) -> str:
        """The request target of an API's path."""
        return f"{self.base_path}{path}{self.query}"


def parse_endpoint(url: str, allow_remote: bool) -> Endpoint:
    """The address that a target's URL means.

    Raises `UrlMistake` if it is not an http(s) URL that can be called, and `UserError`, unless `allow_remote`, if the
    host is not this machine's loopback.
    """
    _check_characters(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlMistake("is not a URL: its host or its port cannot be read", _EXAMPLE) from None
    if "@" in parts.netloc:
        raise UrlMistake(
            "has a user or a password in it", "put the key into an environment variable and name it in key_env"
        )
    if parts.scheme not in ("http", "https"):
        raise UrlMistake("is not an http:// or https:// URL", _EXAMPLE)
    if not parts.hostname:
        raise UrlMistake("has no host", _EXAMPLE)
    if any(not 0 < len(label) < 64 for label in parts.hostname.rstrip(".").split(".")):
        raise UrlMistake("has a host name that is not valid", "write each part between dots with 1 to 63 letters")
    if "%" in parts.hostname:
        raise UrlMistake("has a zone or an escape in its host", "write the address without %")
    if port == 0 or parts.netloc.endswith(":"):
        raise UrlMistake("has no usable port", "write a port from 1 to 65535, or none")
    if parts.fragment or url.endswith("#"):
        raise UrlMistake("has a fragment (#...)", "remove it")
    if parts.query and not _AZURE_QUERY.fullmatch(parts.query):
        raise UrlMistake(
            "has a query (?...), and of all queries only api-version=... is supported",
            "remove it; a key goes into headers:, as headers: {x-goog-api-key: {env: NAME}}",
        )
    if not allow_remote and not is_loopback(url):
        raise UserError(
            f"target {parts.hostname!r} is not this machine: to send load to another host, get its owner's permission "
            "and pass `--yes-i-may`"
        )
    tls = parts.scheme == "https"
    query = f"?{parts.query}" if parts.query else ""
    return Endpoint(parts.hostname, port or (443 if tls else 80), tls, _base_path(parts), query)


def is_loopback(url: str) -> bool:
    """Whether a URL's host is `localhost` or a loopback address. Other names are not resolved."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def header_problem(value: str) -> str:
    """Why a value cannot be sent in a header, or "". It names the place, and never repeats the value."""
    for place, char in enumerate(value, start=1):
        if char in "\r\n":
            return f"has a line break at character {place} of {len(value)}"
        if ord(char) > 0xFF:
            return f"has a character outside latin-1 at character {place} of {len(value)}"
        if char != "\t" and (ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0):
            return f"has a control character at character {place} of {len(value)}"
    return "has a space at its beginning or end" if value != value.strip() else ""


def environment_problem(name: str, value: str | None) -> str:
    """Why the value of an environment variable cannot be sent in a header, or "". `value` None: it is not set."""
    if not value:
        return f"the environment variable {name} is {'not set' if value is None else 'empty'}"
    problem = header_problem(value)
    return f"the value of the environment variable {name} {problem}" if problem else ""


def is_key_header(name: str) -> bool:
    """Whether a header of this name carries a key."""
    return bool(_KEY_NAME.search(name))


def reserved_header(name: str) -> str:
    """Why a header of this name may not be given for a target, or ""."""
    if not _TOKEN.fullmatch(name):
        return "is not the name of a header"
    return "is set by the client itself" if name.lower() in _RESERVED else ""


def _check_characters(url: str) -> None:
    found = _FORBIDDEN.search(url)
    if found is not None:
        char = found[0]
        name = (
            "a space" if char == " " else "a control character" if not char.isprintable() else f"the character {char}"
        )
        place = f"at character {found.start() + 1}"
        raise UrlMistake(f"has {name} in it ({place})", f"remove it, or write %{ord(char):02X} in a path")
    if url.isascii():
        return
    host, path = url, ""
    try:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
        host = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        raise UrlMistake("has a letter outside ASCII in it", "write it in ASCII") from None
    remedy = f"write the host as {host}" if not (parts.hostname or "").isascii() else f"write the path as {quote(path)}"
    raise UrlMistake("has a letter outside ASCII in it", remedy)


def _base_path(parts: SplitResult) -> str:
    segments = [segment for segment in parts.path.split("/") if segment]
    for api_path in _API_PATHS:
        if tuple(segments[-len(api_path) :]) == api_path:
            return _joined(segments[: -len(api_path)])
    if not parts.query and not any(map(_VERSION.fullmatch, segments)):
        segments.append("v1")
    return _joined(segments)


def _joined(segments: Iterable[str]) -> str:
    return "".join(f"/{segment}" for segment in segments)
