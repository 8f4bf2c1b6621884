"""Pages that stand in for an exchange's answer: its edge's own, in HTML or plain text, with a
status that says what became of the request.
"""

import re

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
LIMITED = "1015"
"""Cloudflare's code for a client that asked too often; some of its pages have no status 429."""
LONGEST = 100
"""Characters of a page that are told."""


class PageError(Exception):
    """The answer was a page: `limited` says that the edge turned the request away for its rate, so
    that the exchange never saw it.
    """

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {first_line(body)}")
        self.status = status
        self.limited = status == 429 or (status >= 400 and LIMITED in body[:2000])


def first_line(body: str) -> str:
    """The title of a page, or its first line with text."""
    found = _TITLE.search(body)
    lines = [found.group(1)] if found else body.splitlines()
    told = (" ".join(_TAG.sub(" ", line).split()) for line in lines)
    return next((line[:LONGEST] for line in told if line), "an empty page")


def is_answer(body: object) -> bool:
    """Whether a body can be an exchange's answer: JSON, an object or a list."""
    return str(body).lstrip()[:1] in ("{", "[")
