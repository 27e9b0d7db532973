"""Certificates: whoever was not certified by the pinned key, for this party, this use and this time, is refused."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import LocalProtocolError, UsageError, VerificationError
from unseen.crypto.certificates import (
    MAX_LIFETIME_S,
    NODE_USE,
    SKEW_S,
    Credentials,
    certify_identity,
    check_certificate,
    issue,
    tls_context,
    verify_signature,
)
from unseen.crypto.sign import raw_public_key

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
USE = "job-1/train/1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
CREDENTIALS = issue(KEY, "clinic", use=USE, now=NOW)


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


CERTIFICATE = der(CREDENTIALS.certificate)


def check(certificate: bytes = CERTIFICATE, **changed):
    expected = {"party": "clinic", "identity": raw_public_key(KEY), "use": USE, "now": NOW, **changed}
    return check_certificate(certificate, **expected)


def test_what_was_issued_is_accepted() -> None:
    peer = check()
    assert (peer.party, peer.use, peer.der) == ("clinic", USE, CERTIFICATE)
    key = load_pem_private_key(CREDENTIALS.key, None)
    assert isinstance(key, Ed25519PrivateKey)
    assert peer.key == raw_public_key(key)
    assert peer.key != raw_public_key(KEY)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"party": "lab"}, "it names"),
        ({"identity": raw_public_key(OTHER)}, "not signed by the identity key"),
        ({"use": "job-1/train/2"}, "another use"),
        ({"use": "job-1/train/11"}, "another use"),
        ({"use": NODE_USE}, "another use"),
        ({"now": NOW - dt.timedelta(seconds=SKEW_S + 1)}, "in force"),
        ({"now": NOW + dt.timedelta(seconds=86_400 + SKEW_S + 1)}, "in force"),
    ],
)
def test_anything_else_than_what_was_expected_is_refused(changed, reason: str) -> None:
    with pytest.raises(VerificationError) as caught:
        check(**changed)
    assert reason in caught.value.why
    assert caught.value.party == changed.get("party", "clinic")


@pytest.mark.parametrize("seconds", [-SKEW_S, 0, 86_400, 86_400 + SKEW_S])
def test_clocks_may_differ_by_a_minute(seconds: int) -> None:
    check(now=NOW + dt.timedelta(seconds=seconds))


def test_an_identity_certificate_does_not_speak_itself() -> None:
    with pytest.raises(VerificationError, match="refused") as caught:
        check(der(CREDENTIALS.identity_certificate))
    assert "identity certificate" in caught.value.why


def forged(**changed) -> bytes:
    """A certificate signed by the identity key with something that `issue` never writes."""
    use = changed.get("uses", [x509.UniformResourceIdentifier(f"unseen:use:{USE}")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "clinic")])
    key = changed.get("key", OTHER)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(changed.get("issuer", name))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(1))
        .not_valid_after(NOW + dt.timedelta(1))
    )
    if changed.get("constraints", True):
        builder = builder.add_extension(
            x509.BasicConstraints(ca=changed.get("ca", False), path_length=None), True
        )
    if use:
        builder = builder.add_extension(x509.SubjectAlternativeName(use), True)
    return builder.sign(KEY, None).public_bytes(Encoding.DER)


STRANGER = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ca": True}, "identity certificate"),
        ({"uses": []}, "malformed"),
        ({"constraints": False}, "malformed"),
        ({"uses": [x509.DNSName(USE)]}, "another use"),
        (
            {"uses": [x509.UniformResourceIdentifier(f"unseen:use:{u}") for u in (USE, "job-2/x/1")]},
            "another use",
        ),
        ({"issuer": STRANGER}, "issued by"),
        ({"key": generate_private_key(SECP256R1())}, "not an Ed25519 key"),
    ],
)
def test_odd_certificates_by_the_right_key_are_refused(changed, reason: str) -> None:
    with pytest.raises(VerificationError) as caught:
        check(forged(**changed))
    assert reason in caught.value.why


def test_the_forger_can_forge() -> None:
    check(forged())


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_any_changed_byte_is_noticed(change: int) -> None:
    for place in range(len(CERTIFICATE)):
        broken = bytearray(CERTIFICATE)
        broken[place] ^= change
        with pytest.raises(VerificationError):
            check(bytes(broken))


def test_bits_of_the_signature_that_are_said_to_be_unused_are_noticed() -> None:
    """X.509 parsers drop up to seven zero bits at the end of a bit string: one certificate, two encodings."""
    for _ in range(64):
        fresh_one = bytearray(der(issue(KEY, "clinic", use=USE, now=NOW).certificate))
        assert fresh_one[-65] == 0
        for unused in range(1, 8):
            fresh_one[-65] = unused
            with pytest.raises(VerificationError):
                check(bytes(fresh_one))


@pytest.mark.parametrize("length", [0, 1, 10, len(CERTIFICATE) - 1])
def test_a_certificate_cut_off_is_refused(length: int) -> None:
    with pytest.raises(VerificationError):
        check(CERTIFICATE[:length])


@given(st.binary(max_size=300))
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        check(data)


def test_signatures_by_credentials() -> None:
    signature = CREDENTIALS.sign(b"head")
    verify_signature(check(), b"head", signature)
    for message, bad in ((b"tail", signature), (b"head", bytes(64)), (b"head", b"")):
        with pytest.raises(VerificationError):
            verify_signature(check(), message, bad)


def test_a_key_of_another_kind_does_not_sign() -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(LocalProtocolError):
        replace(CREDENTIALS, key=pem).sign(b"x")


@pytest.mark.parametrize(
    ("use", "lifetime"),
    [
        ("", 60),
        ("x" * 201, 60),
        ("a b", 60),
        ("ä", 60),
        ("x\n", 60),
        (USE, 0),
        (USE, -1),
        (USE, MAX_LIFETIME_S + 1),
    ],
)
def test_senseless_certificates_are_not_issued(use: str, lifetime: int) -> None:
    with pytest.raises(UsageError):
        issue(KEY, "clinic", use=use, now=NOW, lifetime_s=lifetime)


def test_a_malformed_party_gets_none() -> None:
    with pytest.raises(UsageError):
        issue(KEY, "../clinic", use=USE, now=NOW)


def test_no_key_is_shown() -> None:
    assert "PRIVATE" not in repr(CREDENTIALS)
    assert "key=" not in repr(CREDENTIALS)


def test_every_credential_has_its_own_key() -> None:
    assert issue(KEY, "clinic", use=USE, now=NOW).key != CREDENTIALS.key


def test_the_identity_certificate_is_of_the_identity_key() -> None:
    certificate = x509.load_pem_x509_certificate(certify_identity(KEY, "clinic", now=NOW))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.public_key() == KEY.public_key()


def test_a_context_leaves_no_handle_open_and_no_file() -> None:
    before = sorted(Path("/dev/fd").iterdir())
    tls_context(CREDENTIALS, server=True, peer="lab", peer_identity=raw_public_key(OTHER), now=NOW)
    assert sorted(Path("/dev/fd").iterdir()) == before


@pytest.mark.parametrize("identity", [b"", bytes(31), bytes(33)])
def test_a_pinned_key_of_the_wrong_length_is_refused(identity: bytes) -> None:
    with pytest.raises(UsageError, match="32 are due"):
        tls_context(CREDENTIALS, server=True, peer="lab", peer_identity=identity, now=NOW)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """The TLS version that came about."""
    one, other = socket.socketpair()
    one.settimeout(5)
    other.settimeout(5)
    problem: list[Exception] = []

    def serve() -> None:
        try:
            with server.wrap_socket(other, server_side=True) as tls:
                tls.sendall(b"!")
        except OSError as error:
            problem.append(error)
            other.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(one) as tls:
            tls.recv(1)
            return tls.version()
    finally:
        thread.join()
        if problem:
            raise problem[0]


def end(credentials: Credentials, peer: str, identity: Ed25519PrivateKey, *, server: bool) -> ssl.SSLContext:
    now = dt.datetime.now(dt.UTC)
    return tls_context(credentials, server=server, peer=peer, peer_identity=raw_public_key(identity), now=now)


def fresh(key: Ed25519PrivateKey, party: str, **options) -> Credentials:
    return issue(key, party, use=USE, **{"now": dt.datetime.now(dt.UTC), **options})


def test_pinned_parties_speak_tls_1_3() -> None:
    clinic, lab = fresh(KEY, "clinic"), fresh(OTHER, "lab")
    version = shake_hands(end(clinic, "lab", OTHER, server=False), end(lab, "clinic", KEY, server=True))
    assert version == "TLSv1.3"


@pytest.mark.parametrize("server_lies", [True, False])
def test_a_key_that_is_not_pinned_does_not_get_through(server_lies: bool) -> None:
    stranger = Ed25519PrivateKey.generate()
    clinic = fresh(KEY if server_lies else stranger, "clinic")
    lab = fresh(stranger if server_lies else OTHER, "lab")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(end(clinic, "lab", OTHER, server=False), end(lab, "clinic", KEY, server=True))


def test_an_expired_certificate_does_not_get_through() -> None:
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    clinic, lab = fresh(KEY, "clinic", now=old), fresh(OTHER, "lab")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(end(clinic, "lab", OTHER, server=False), end(lab, "clinic", KEY, server=True))


def test_whoever_shows_no_certificate_or_speaks_an_older_tls_does_not_get_through() -> None:
    lab = fresh(OTHER, "lab")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(bare, end(lab, "clinic", KEY, server=True))
    bare.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(bare, end(lab, "clinic", KEY, server=True))


def test_a_credential_issued_by_a_credential_is_worth_nothing() -> None:
    """A worker's key may speak, not certify."""
    worker = load_pem_private_key(CREDENTIALS.key, None)
    assert isinstance(worker, Ed25519PrivateKey)
    with pytest.raises(VerificationError):
        check(der(issue(worker, "clinic", use=USE, now=NOW).certificate))
