"""A certificate that the exchange signs itself: for clients that speak nothing but TLS. Its key
never leaves the folder that it is made in.
"""

import datetime
import ipaddress
import ssl
from pathlib import Path

from msgspec import Struct

NAMES = ("localhost",)
ADDRESS = "127.0.0.1"
DAYS = 30


class Tls(Struct, frozen=True):
    """What encrypts, and what a client must trust."""

    context: ssl.SSLContext
    certificate: Path
    """PEM; `SSL_CERT_FILE` names it to most clients."""


def self_signed(folder: Path) -> Tls:
    """Make a key and a certificate for loopback in a folder. Raises OSError, or ImportError where
    `cryptography` is missing.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "flatout exchange")])
    now = datetime.datetime.now(datetime.UTC)
    names = [*(x509.DNSName(one) for one in NAMES), x509.IPAddress(ipaddress.ip_address(ADDRESS))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private, public = folder / "exchange.key", folder / "exchange.pem"
    private.touch(mode=0o600)
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return Tls(context, public)
