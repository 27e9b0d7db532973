"""Certificates of parties: who signs for whom on the link.

A party *is* its long-lived Ed25519 identity key. The key signs two kinds of X.509 certificates (RFC 5280, Ed25519
as in RFC 8410): one of itself, and short-lived ones for fresh keys that may speak for the party in one *use*: a
task attempt (`job/task/attempt`) or `node` (control between daemons). A worker gets :class:`Credentials`, which
hold a short-lived key and no identity key.

Peers pin the 32 raw bytes of the identity public key. No name in a certificate is believed because it stands
there: :func:`check_certificate` takes the expected party, key and use as arguments and compares.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import ssl
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.core.ids import check_name
from unseen.crypto.sign import raw_public_key

NODE_USE = "node"
SKEW_S = 60
MAX_LIFETIME_S = 31 * 86_400
_IDENTITY_LIFETIME = dt.timedelta(days=3650)
_URI = "unseen:use:"
_MAX_USE_CHARS = 200
_PIPE_BYTES = 4096
_MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
)
# What stands between the signed part and the signature: Ed25519's identifier, and a bit string without unused bits.
_BEFORE_SIGNATURE = bytes.fromhex("300506032b6570034100")
_EXTENDED = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a process needs to speak for `party` in one `use`: a short-lived key and its certificates (PEM).

    `repr` shows no key.
    """

    party: str
    use: str
    certificate: bytes
    identity_certificate: bytes
    key: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Sign with the short-lived key (Ed25519, 64 bytes); :func:`verify_signature` checks it."""
        key = load_pem_private_key(self.key, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise LocalProtocolError("The key in the credentials is not an Ed25519 key.")
        return key.sign(message)


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A certificate that :func:`check_certificate` found to speak for `party` in `use`."""

    party: str
    use: str
    key: bytes
    der: bytes = field(repr=False)


def certify_identity(key: Ed25519PrivateKey, party: str, *, now: dt.datetime) -> bytes:
    """The party's self-signed certificate (PEM)."""
    return _authority(party, key.public_key(), signer=key, now=now).public_bytes(Encoding.PEM)


def issue(
    key: Ed25519PrivateKey, party: str, *, use: str, now: dt.datetime, lifetime_s: int = 86_400
) -> Credentials:
    """Make a fresh key and certify it with the identity key, for one use.

    Parameters
    ----------
    use
        `job/task/attempt` or :data:`NODE_USE`.

    Raises
    ------
    UsageError
        A malformed party name or use, or a lifetime over 31 days.
    """
    check_name(party, kind="party")
    if not 0 < lifetime_s <= MAX_LIFETIME_S or not _is_use(use):
        raise UsageError(
            f"No certificate is issued for use '{use}' over {lifetime_s} s.",
            why=f"a use is 1 to {_MAX_USE_CHARS} printable characters, a lifetime at most {MAX_LIFETIME_S} s",
        )
    fresh = Ed25519PrivateKey.generate()
    skew = dt.timedelta(seconds=SKEW_S)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(party))
        .issuer_name(_name(party))
        .public_key(fresh.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - skew)
        .not_valid_after(now + dt.timedelta(seconds=lifetime_s) + skew)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(_EXTENDED, critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(_URI + use)]), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(fresh.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, None)
    )
    return Credentials(
        party=party,
        use=use,
        certificate=certificate.public_bytes(Encoding.PEM),
        identity_certificate=certify_identity(key, party, now=now),
        key=fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def check_certificate(
    der: bytes, *, party: str, identity: bytes, use: str, now: dt.datetime
) -> PeerCertificate:
    """Check that `der` was issued by the pinned `identity` to speak for `party` in `use`, and is in force.

    Raises
    ------
    VerificationError
        It was not; the text says in which respect.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        Ed25519PublicKey.from_public_bytes(identity).verify(
            certificate.signature, certificate.tbs_certificate_bytes
        )
        key = certificate.public_key()
        reason = _objection(certificate, party, use, now)
    except InvalidSignature:
        reason = "it is not signed by the identity key that was agreed on"
    except _MALFORMED as error:
        reason = f"it is malformed: {error}"
    else:
        if not reason and isinstance(key, Ed25519PublicKey):
            return PeerCertificate(party, use, raw_public_key(key), der)
        reason = reason or "its key is not an Ed25519 key"
    raise VerificationError(
        f"The certificate shown as {party}'s is refused.",
        why=reason,
        mend=f"compare the fingerprint of {party}'s identity, and both clocks",
        party=party,
    )


def verify_signature(certificate: PeerCertificate, message: bytes, signature: bytes) -> None:
    """Check a signature made by :meth:`Credentials.sign` under a checked certificate.

    Raises
    ------
    VerificationError
        The signature is not over `message` by that key.
    """
    try:
        Ed25519PublicKey.from_public_bytes(certificate.key).verify(signature, message)
    except InvalidSignature:
        raise VerificationError(
            f"A signature of {certificate.party} does not verify.",
            why="other bytes or another key were signed",
            party=certificate.party,
        ) from None


def tls_context(
    credentials: Credentials, *, server: bool, peer: str, peer_identity: bytes, now: dt.datetime
) -> ssl.SSLContext:
    """TLS 1.3, both ends certified, the peer's chain anchored in nothing but its pinned identity key.

    The caller must still pass the peer's certificate to :func:`check_certificate`: TLS checks key and validity,
    not the use.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if server:
        context.num_tickets = 0
    try:
        pinned = Ed25519PublicKey.from_public_bytes(peer_identity)
    except ValueError as error:
        raise UsageError(
            f"The identity key of {peer} has {len(peer_identity)} bytes where 32 are due."
        ) from error
    # OpenSSL wants a certificate as its anchor; only the key in it counts, so it may be signed by anybody.
    anchor = _authority(peer, pinned, signer=Ed25519PrivateKey.generate(), now=now)
    context.load_verify_locations(cadata=anchor.public_bytes(Encoding.DER))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _load_chain(context, credentials)
    return context


def _load_chain(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Load certificate and key through pipes: the `ssl` module wants paths, and no key shall touch a disk."""
    chain = _pipe(credentials.certificate + credentials.identity_certificate)
    key = _pipe(credentials.key)
    try:
        context.load_cert_chain(f"/dev/fd/{chain}", f"/dev/fd/{key}")
    finally:
        os.close(chain)
        os.close(key)


def _pipe(content: bytes) -> int:
    """The reading end of a pipe that holds `content`, which must fit its buffer."""
    if len(content) > _PIPE_BYTES:
        raise UsageError(f"A certificate of {len(content)} bytes is too long.")
    reader, writer = os.pipe()
    try:
        os.write(writer, content)
    finally:
        os.close(writer)
    return reader


def _authority(
    party: str, public: Ed25519PublicKey, *, signer: Ed25519PrivateKey, now: dt.datetime
) -> x509.Certificate:
    """A certificate that lets `public` issue certificates for `party`. Self-signed if `signer` is its key."""
    own = raw_public_key(signer) == raw_public_key(public)
    issuer = party if own else f"anchor-{secrets.token_hex(8)}"
    return (
        x509.CertificateBuilder()
        .subject_name(_name(party))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _IDENTITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, None)
    )


def _name(party: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])


def _is_use(use: str) -> bool:
    return 0 < len(use) <= _MAX_USE_CHARS and use.isascii() and use.isprintable() and " " not in use


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_canonical(certificate: x509.Certificate) -> bool:
    """Whether nothing around the signed part can vary: parsers tolerate "unused" bits of the signature."""
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ED25519:
        return False
    signed = certificate.tbs_certificate_bytes + _BEFORE_SIGNATURE + certificate.signature
    return certificate.public_bytes(Encoding.DER).endswith(signed)


def _objection(certificate: x509.Certificate, party: str, use: str, now: dt.datetime) -> str:
    if certificate.subject != _name(party) or certificate.issuer != _name(party):
        return f"it names {certificate.subject.rfc4514_string()}, issued by {certificate.issuer.rfc4514_string()}"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return (
            f"it is in force from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc} "
            f"and our clock says {now}"
        )
    if not _is_canonical(certificate):
        return "it is not signed with Ed25519, or not encoded in the one canonical form"
    extensions = certificate.extensions
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        return "it is an identity certificate, which never speaks on a link itself"
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if names != [x509.UniformResourceIdentifier(_URI + use)]:
        return f"it was issued for another use than {use}: {', '.join(str(name.value) for name in names)}"
    return ""
