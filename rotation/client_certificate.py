"""A certificate and its private key out of the value that Key Vault keeps for it: PKCS#12 in base64, or PEM.

Parsing alone; where the value comes from is left to `client_credential`. Source: Azure Key Vault, "About certificates",
exportable or non-exportable keys: the secret of a certificate holds the key only when its policy lets it be exported.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509 import Certificate, load_pem_x509_certificates

from rotation.ports import ClientCertificate
from rotation.secret_value import SecretValue

PEM_CONTENT_TYPE = "application/x-pem-file"
_PEM = "-----BEGIN "


class UnusableCertificateError(Exception):
    """The value holds no certificate that could sign; the text says what is missing, never what it holds."""


def looks_like_key(value: SecretValue) -> bool:
    """Whether a value is a PEM or PKCS#12 file: something that must never be sent as a client secret."""
    text = value.reveal()
    return _PEM in text or _der_in_base64(text) is not None  # openssl writes attributes before the first line of a PEM


def parse_certificate(value: SecretValue, content_type: str | None) -> ClientCertificate:
    """Open the value. Raises UnusableCertificateError."""
    text = value.reveal().strip()
    try:
        is_pem = content_type == PEM_CONTENT_TYPE or _PEM in text
        key, certificates = _pem(text) if is_pem else _pkcs12(text)
        return _signing(key, certificates)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # not of the form, encrypted, or of an unknown kind
        raise UnusableCertificateError("holds neither PKCS#12 nor PEM that can be opened without a password") from error


def _signing(key: object | None, certificates: list[Certificate]) -> ClientCertificate:
    if key is None:
        raise UnusableCertificateError(
            "has no private key: the key is not exportable; issue one whose policy exports it"
        )
    if not isinstance(key, RSAPrivateKey):
        raise UnusableCertificateError("has a key that is not RSA, which Microsoft Entra ID does not take")
    if not certificates:
        raise UnusableCertificateError("has a key but no certificate")
    return ClientCertificate(key, _leaf_first(key, certificates))


def _pem(text: str) -> tuple[object | None, list[Certificate]]:
    key = load_pem_private_key(text.encode(), None) if "PRIVATE KEY-----" in text else None
    return key, load_pem_x509_certificates(text.encode()) if "BEGIN CERTIFICATE" in text else []


def _pkcs12(text: str) -> tuple[object | None, list[Certificate]]:
    der = _der_in_base64(text)
    if der is None:
        raise ValueError("not base64 of DER")
    key, certificate, others = pkcs12.load_key_and_certificates(der, None)
    return key, [*([certificate] if certificate else []), *others]


def _der_in_base64(text: str) -> bytes | None:
    """The bytes of a DER SEQUENCE in base64, as PKCS#12 is; None for any other text."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return der if der[:2] in (b"\x30\x82", b"\x30\x83", b"\x30\x80") else None


def _leaf_first(key: RSAPrivateKey, certificates: list[Certificate]) -> tuple[Certificate, ...]:
    """The certificate of this key, then each one's issuer (RFC 7515 section 4.1.6), whatever the order in the file."""
    chain = [one for one in certificates if one.public_key() == key.public_key()][:1]
    if not chain:
        raise UnusableCertificateError("has a private key and only certificates of other keys")
    while issuers := [one for one in certificates if one.subject == chain[-1].issuer and one not in chain]:
        chain.append(issuers[0])
    return tuple(chain)
