"""A server's certificate with a chain like AWS's, and a bundle of five roots of which one vouches for it.

The roots have the kinds of keys that Amazon's five have, so that reading them costs what those cost.
"""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


def rsa_key(bits):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def issue(name, key, issuer=None, authority=True, hosts=()):
    """Signs a certificate with the issuer's (name, key), or with its own key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing = issuer or (subject, key)
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return builder.sign(signing, hashes.SHA256()), subject


def make(folder):
    """Writes server.pem (key and chain) and roots.pem, and returns their paths."""
    root_key, between_key, server_key = rsa_key(2048), rsa_key(2048), rsa_key(2048)
    root, root_name = issue("Root 1", root_key)
    others = [rsa_key(4096), ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1()), rsa_key(2048)]
    roots = [root] + [issue(f"Root {number}", key)[0] for number, key in enumerate(others, 2)]
    between, between_name = issue("Between", between_key, (root_name, root_key))
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server, _ = issue("localhost", server_key, (between_name, between_key), authority=False, hosts=hosts)
    private = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.pem").write_bytes(private + pem(server) + pem(between))
    (folder / "roots.pem").write_bytes(b"".join(pem(one) for one in roots))
    return folder / "server.pem", folder / "roots.pem"
