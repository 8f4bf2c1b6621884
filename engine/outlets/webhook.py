"""An address that takes a line of the record as signed JSON."""

import hashlib
import hmac
import time

from engine.model.address import refused
from engine.model.secrets import of_url, remember
from engine.outlets.lines import body
from engine.outlets.notsent import NotSentError, OutletError
from engine.outlets.spool import Line

PATIENCE = 10.0
"""Seconds that a webhook gets to answer."""
AGAIN = frozenset({408, 409, 425, 429})
"""Answers below 500 that may be others later."""


def signature(secret: bytes, at: int, content: bytes) -> str:
    """What `flatout-signature` says: HMAC-SHA256, with the secret as its key, over the seconds
    since 1970 as digits, a full stop, and the body.
    """
    code = hmac.new(secret, b"%d." % at + content, hashlib.sha256).hexdigest()
    return f"t={at},v1={code}"


class Webhook:
    """Posts id, account, seq, line, at, time, severity, event, text, subject, intent."""

    name = "webhook"

    def __init__(self, address: str, secret: str) -> None:
        """Without a `secret` nothing is signed."""
        remember([address, *of_url(address), secret])
        why = refused("webhook", address)
        if why:
            raise OutletError(f"notify.webhook: {why}")
        self._address = address
        self._secret = secret.encode()

    async def send(self, account: str, line: Line) -> None:
        """Post it; any answer from 200 to 299 means that it arrived. A redirect is not followed: it
        may lead anywhere. Raises NotSentError.
        """
        import aiohttp  # heavy, and most sessions have no webhook

        content = body(account, line.name, line.notice)
        headers = {"content-type": "application/json", "flatout-id": line.name}
        if self._secret:
            headers["flatout-signature"] = signature(self._secret, int(time.time()), content)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._address, data=content, headers=headers, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise NotSentError(f"it has not answered within {PATIENCE:g} s") from None
        except (aiohttp.ClientError, OSError):
            raise NotSentError("it can't be reached") from None
        if not 200 <= status < 300:
            final = status < 500 and status not in AGAIN
            raise NotSentError(f"it answered {status}", final=final)
