"""Secrets taken out of text, by one function, wherever text is printed, logged, exported or sent.

Two nets: what is known to be secret (`remember`: API keys, the password of the journal's database,
the addresses of notifications) is taken out literally; and what looks like one (`user:password@`,
`?password=`, the keywords of a DSN, headers with keys) whether it is known or not.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

MASK = "•••"
_NAMES = (
    r"(?:ssl)?password|passwd|passphrase|pwd|pgpassword|secret|token"
    r"|api[-_]?key|api[-_]?sign|authent|authorization"
)
_USER = re.compile(r"""(://[^\s/?#@:"'<>\\]*):(?!\d{1,5}[/?#])[^\s"'<>\\]+@""")
"""The password of a URL: up to its last @, for a password may hold any other character."""
_QUERY = re.compile(r"""([?&;])([^\s=&;#"'<>?]+)=([^\s&;#"'<>]*)""")
_KEYWORD = re.compile(
    rf"""(?i)(?<![A-Za-z0-9])({_NAMES})(["']?\s*=\s*|["']\s*:\s*|(?<=api-key|pi-sign|authent):\s*)"""
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?!\.\.\.)[^\s&"',;}\])]+)"""
)
_NAME = re.compile(rf"(?i){_NAMES}")
_SHORT = 12
"""A secret that is shorter is taken out only where it stands alone: `postgres` is a password, and
part of `postgresql`.
"""
_LEAST = 4
"""What is shorter is no secret: it would be taken out of every other word."""

_known: dict[str, re.Pattern[str]] = {}


def remember(secrets: Iterable[str | None]) -> None:
    """Take these out of everything that is masked from now on, also as JSON, a URL or a person
    would write them.
    """
    for secret in secrets:
        for form in _forms(secret or ""):
            if len(form) >= _LEAST and form not in _known:
                alone = len(form) < _SHORT
                _known[form] = re.compile(
                    rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
                    if alone
                    else re.escape(form)
                )


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        unquote(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }


def of_url(url: str | None) -> list[str]:
    """The secrets that a URL or a DSN carries, as they are written there: passwords, and values
    with a secret's name.
    """
    text = url or ""
    found = [match.group(0)[len(match.group(1)) + 1 : -1] for match in _USER.finditer(text)]
    found += [value for _, name, value in _QUERY.findall(text) if _NAME.fullmatch(unquote(name))]
    return found + [value.strip("'\"") for _, _, value in _KEYWORD.findall(text)]


def masked(text: str) -> str:
    """Return `text` without any secret: each is shown as `•••`."""
    for form in sorted(_known, key=len, reverse=True):
        if form in text:
            text = _known[form].sub(MASK, text)
    text = _USER.sub(rf"\1:{MASK}@", text) if "://" in text else text
    text = _QUERY.sub(_of_query, text) if "=" in text else text
    return _KEYWORD.sub(_of_keyword, text)


def _of_query(match: re.Match[str]) -> str:
    begins, name, value = match.groups()
    return f"{begins}{name}={MASK if _NAME.fullmatch(unquote(name)) else value}"


def _of_keyword(match: re.Match[str]) -> str:
    name, between, value = match.groups()
    mark = value[0] if value[0] in "'\"" else ""
    return f"{name}{between}{mark}{MASK}{mark}"
