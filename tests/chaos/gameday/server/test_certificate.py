"""Certificates: what is wrong is said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from chaos.gameday.server.certificate import load_certificate
from reports.shared.errors import UserError

CA = trustme.CA()
GOOD = CA.issue_cert("gameday.example", "*.lab.example", "127.0.0.1")
NOW = datetime.now(UTC)


def written(folder: Path, issued: trustme.LeafCert) -> tuple[Path, Path]:
    certificate, key = folder / "c.pem", folder / "k.pem"
    certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key


def why(certificate: Path, key: Path) -> str:
    with pytest.raises(UserError) as refused:
        load_certificate(certificate, key)
    return str(refused.value)


def test_a_good_certificate_tells_its_names(tmp_path: Path) -> None:
    assert load_certificate(*written(tmp_path, GOOD)).names == ("gameday.example", "*.lab.example", "127.0.0.1")


def test_both_in_one_file_is_possible(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(GOOD.private_key_and_cert_chain_pem.bytes())
    assert load_certificate(both, both).names


@pytest.mark.parametrize("which", ["certificate", "key"])
def test_a_missing_or_unreadable_file_is_named(tmp_path: Path, which: str) -> None:
    certificate, key = written(tmp_path, GOOD)
    lost = certificate if which == "certificate" else key
    lost.unlink()
    assert why(certificate, key) == f"the {which} {lost} is missing; give a PEM file that exists and that you may read"
    lost.mkdir()
    assert f"the {which} {lost} cannot be read" in why(certificate, key)


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_in_another_format_is_named(tmp_path: Path, which: str, content: bytes) -> None:
    certificate, key = written(tmp_path, GOOD)
    broken = certificate if which == "certificate" else key
    broken.write_bytes(content)
    text = why(certificate, key)
    assert text.startswith(f"{broken}: this is not a {which} in PEM format")


def test_files_that_do_not_belong_together_are_said_to(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, GOOD)
    key.write_bytes(CA.issue_cert("other.example").private_key_pem.bytes())
    assert f"{key} is not the key of {certificate}" in why(certificate, key)


@pytest.mark.parametrize(
    ("begin", "end", "text"),
    [(NOW - timedelta(days=9), NOW - timedelta(days=1), "certificate has expired"),
     (NOW + timedelta(days=1), NOW + timedelta(days=9), "certificate is not yet valid")],
)  # fmt: skip
def test_a_certificate_that_is_not_valid_today_is_refused(
    tmp_path: Path, begin: datetime, end: datetime, text: str
) -> None:
    issued = CA.issue_cert("gameday.example", not_before=begin, not_after=end)
    assert text in why(*written(tmp_path, issued))


def test_a_key_with_a_passphrase_is_refused_and_never_asked_for(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, GOOD)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert "encrypted with a passphrase" in why(certificate, key)
