"""Keys, signatures, nonces and tokens, as the exchange checks them."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

TOKEN_SECONDS = 900
"""A WebSocket token must be used within so long."""
PERMISSIONS = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "query-ledger",
    "create-ws-token",
)
"""What a trading key may do; `withdraw-funds` would be one more."""
_NONCE = re.compile(r"[0-9]{1,20}")


class Key:
    """One API key of the account."""

    def __init__(self, key: str, secret: str, permissions: Iterable[str] = PERMISSIONS) -> None:
        self.key = key
        self.permissions = tuple(permissions)
        self.nonce = 0
        self._secret = base64.b64decode(secret)
        self._tokens: dict[str, int] = {}
        self._challenges: set[str] = set()

    # Kraken spot

    def signed(self, path: str, nonce: str, body: bytes, signature: str) -> bool:
        """Whether a request to Kraken spot bears the right API-Sign."""
        message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
        return self._matches(message, signature)

    def fresh(self, nonce: str) -> bool:
        """Whether a nonce is above all that were seen; it is the last one then."""
        if not _NONCE.fullmatch(nonce) or int(nonce) <= self.nonce:
            return False
        self.nonce = int(nonce)
        return True

    def new_token(self, now: int) -> str:
        """A token for the private stream."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = now + TOKEN_SECONDS * 1_000_000_000
        return token

    def knows(self, token: str, now: int) -> bool:
        """Whether a token may still be used."""
        return self._tokens.get(token, 0) > now

    def expire_tokens(self) -> None:
        """All tokens are over, as after a long while."""
        self._tokens.clear()

    # Kraken Futures

    def authentic(self, path: str, nonce: str, data: str, signature: str) -> bool:
        """Whether a request to Kraken Futures bears the right Authent."""
        return self._matches(hashlib.sha256((data + nonce + path).encode()).digest(), signature)

    def challenge(self, text: str) -> str:
        """A challenge that may be signed from now on."""
        self._challenges.add(text)
        return text

    def answered(self, challenge: str, signature: str) -> bool:
        """Whether a challenge of ours was signed with the secret."""
        return challenge in self._challenges and self._matches(
            hashlib.sha256(challenge.encode()).digest(), signature
        )

    def _matches(self, message: bytes, signature: str) -> bool:
        wanted = base64.b64encode(hmac.new(self._secret, message, hashlib.sha512).digest()).decode()
        return hmac.compare_digest(wanted, signature)


def new_secret() -> str:
    """A secret in the exchange's form."""
    return base64.b64encode(secrets.token_bytes(64)).decode()
