"""Certificates of the moment, in the forms in which Key Vault keeps them. Registers nothing and stores nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

PKCS12_CONTENT_TYPE = "application/x-pkcs12"
PEM_CONTENT_TYPE = "application/x-pem-file"
PASSWORD = b"contoso"

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(purpose: str) -> rsa.RSAPrivateKey:
    """One key for each purpose: making them is slow."""
    del purpose
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Certified:
    """A private key, its certificate, and those of who issued it."""

    key: PrivateKey
    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...] = ()

    @classmethod
    def new(cls, name: str = "contoso", *, key: PrivateKey | None = None, days: tuple[int, int] = (-1, 100)) -> Self:
        """A self-signed certificate, valid between two days from now."""
        own = key or rsa_key(name)
        return cls(own, _certificate(name, own, name, own, days))

    @classmethod
    def with_chain(cls) -> Self:
        """A certificate out of an authority's authority."""
        names = ("contoso root", "contoso intermediate", "contoso leaf")
        root, intermediate, leaf = map(rsa_key, names)
        return cls(
            leaf,
            _certificate(names[2], leaf, names[1], intermediate),
            (_certificate(names[1], intermediate, names[0], root), _certificate(names[0], root, names[0], root)),
        )

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificate, then each one's issuer."""
        return self.certificate, *self.issuers

    @property
    def public_pem(self) -> bytes:
        """What is registered."""
        return self.certificate.public_bytes(Encoding.PEM)

    def pkcs12(self, encryption: KeySerializationEncryption | None = None, *, with_key: bool = True) -> str:
        """As Key Vault keeps it: PKCS#12 in base64."""
        key = self.key if with_key else None
        file = pkcs12.serialize_key_and_certificates(
            b"app", key, self.certificate, self.issuers, encryption or NoEncryption()
        )
        return base64.b64encode(file).decode()

    def pem(self, *certificates: x509.Certificate, password: bytes | None = None) -> str:
        """The key, then the certificates: of the chain in its order, unless others are given."""
        encryption = BestAvailableEncryption(password) if password else NoEncryption()
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        return b"".join([key, *(one.public_bytes(Encoding.PEM) for one in certificates or self.chain)]).decode()


def _certificate(
    subject: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey, days: tuple[int, int] = (-1, 100)
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
    return builder.sign(issuer_key, SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
