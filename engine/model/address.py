"""Addresses of an exchange and of a webhook: what carries keys, or says what an account does,
leaves this machine only encrypted.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

SECURE = {
    "rest": ("https", "http"),
    "ws": ("wss", "ws"),
    "webhook": ("https", "http"),
    "nats": ("tls", "nats"),
}
"""By what the address is for: the scheme that is encrypted, and the one that is not."""
CARRIED = {"webhook": "what the account does", "nats": "what the account does"}
"""What would be read on the way; a key, unless it is said here."""


def is_loopback(host: str) -> bool:
    """Whether a host's name or number is this machine. A name that merely begins like one
    is not.
    """
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refused(kind: str, address: str) -> str:
    """Say why `address` can't be used for `kind` (`rest`, `ws`, `webhook` or `nats`); empty where
    it can.
    """
    encrypted, bare = SECURE[kind]
    allowed = f"allowed: {encrypted}://HOST, or {bare}://127.0.0.1:PORT on this machine"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"it is not an address; {allowed}"
    if parts.scheme not in (encrypted, bare) or not host:
        return f"it does not begin with {encrypted}://; {allowed}"
    named = "@" in parts.netloc and kind not in CARRIED
    if named or any(sign in address for sign in "\\ \t\r\n"):
        return f"a user, a backslash or a space in it may lead to another host; {allowed}"
    if parts.scheme == bare and not is_loopback(host):
        return (
            f"{bare}:// to {host} would carry {CARRIED.get(kind, 'the key')} unencrypted; {allowed}"
        )
    return ""
