"""A certificate with its key, tried out in memory: what is wrong is said in words before the port opens."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from reports.shared.errors import UserError
from reports.shared.regular_file import read_regular

__all__ = ["Certificate", "load_certificate"]

_TURNS: Final = 10
"""More than a handshake of TLS 1.3 takes."""


class _Encrypted(Exception):
    """The key needs a passphrase."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`context`: for the server. `names`: the host names and IP addresses that the certificate is for, in its order."""

    context: ssl.SSLContext
    names: tuple[str, ...]


def load_certificate(certificate: Path, key: Path) -> Certificate:
    """Read and try a certificate (PEM, with the chain after it) and its key. Raises UserError, with the remedy."""
    for what, path in (("certificate", certificate), ("key", key)):
        _check_readable(what, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _Encrypted:
        raise UserError(
            f"{key}: the key is encrypted with a passphrase, which nobody could type here\n"
            "    give a key without one, in a file that only you can read: openssl pkey -in KEY -out PLAIN"
        ) from None
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error):
            raise UserError(f"{key} is not the key of {certificate}: give the two files that belong together") from None
        wrong = certificate if not _holds_certificate(certificate) else key
        what = "certificate" if wrong is certificate else "key"
        raise UserError(
            f"{wrong}: this is not a {what} in PEM format: its text begins with -----BEGIN ...; the certificate "
            "comes first in its file, its chain after it"
        ) from None
    return Certificate(context, _names(context, certificate))


def _check_readable(what: str, path: Path) -> None:
    try:
        read_regular(path)
    except OSError as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise UserError(f"the {what} {path} {why}; give a PEM file that exists and that you may read") from None


def _holds_certificate(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError):
        return False
    return True


def _no_passphrase() -> str:
    raise _Encrypted


def _names(server: ssl.SSLContext, certificate: Path) -> tuple[str, ...]:
    """What the certificate is for, by a handshake with a client that trusts this certificate alone."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True))
    try:
        for _ in range(_TURNS):
            for end in ends:
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
        found = ends[0].getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise UserError(
            f"{certificate}: browsers will not accept this certificate: {error.verify_message}\n"
            "    give a certificate that is valid today, for a server"
        ) from None
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(f"{certificate}: no connection is possible with this certificate: {reason}") from None
    pairs = cast(tuple[tuple[str, str], ...], found.get("subjectAltName", ()))
    return tuple(value for kind, value in pairs if kind in ("DNS", "IP Address"))
