"""What the exchange does beside matching, as it really does it: modes, error pages of its edge, a
clock of its own, rows that lack fields.

Faults go wrong by chance on a line; this is an exchange that works as documented. `[exchange]` of a
faults file sets it, and tests change it while the exchange runs (`World.conduct`).
"""

from collections.abc import Mapping
from random import Random
from typing import Any

from msgspec import Struct

from engine.exchange import Interval

ONLINE = "online"
MODES = (ONLINE, "cancel_only", "post_only", "limit_only", "reduce_only", "maintenance")
"""Modes of the exchange and of a pair (SystemStatus, AssetPairs `status`, the status and instrument
channels; read 2026-11).
"""
PAGES: dict[int, tuple[str, bool]] = {
    403: ("Forbidden", False),
    429: ("error code: 1015", False),
    502: ("502 Bad Gateway", True),
    520: ("Web server is returning an unknown error", True),
}
"""By status: the title of the edge's page, and whether the exchange may have carried the request
out all the same.
"""
_PAGE = (
    "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n"
    "<body><center><h1>{title}</h1></center></body>\n</html>\n"
)


class Conduct(Struct, frozen=True):
    """An ordinary day unless told otherwise."""

    error_page: float = 0.0
    """Probability that a page of the edge answers a request; some of these requests are carried
    out.
    """
    pages: tuple[int, ...] = tuple(PAGES)
    """The statuses of those pages."""
    ahead: int = 0
    """Nanoseconds by which the exchange's clock is ahead of the machine's."""
    mode: str = ONLINE
    """The mode of the exchange while `modes` is on, and always where `modes` is None."""
    modes: Interval | None = None
    pair_modes: dict[str, str] = {}
    """By symbol; what is not listed here is in the exchange's mode."""
    odd_rows: bool = False
    """Whether the account holds orders of another program whose rows lack fields, and tickers tell
    null.
    """
    always_merged: bool = False
    """Whether `consolidate_taker=false` is not heard."""
    fee_credits: bool = False
    """Whether the stream lists a fee in two currencies: credits first, then money."""

    def mode_of(self, symbol: str | None, since: int) -> str:
        """The mode of a pair, or of the exchange for None, so many nanoseconds after the
        beginning.
        """
        system = self.mode if self.modes is None or self.modes.is_on(since) else ONLINE
        return system if symbol is None or system != ONLINE else self.pair_modes.get(symbol, ONLINE)

    def page(self, random: Random) -> int | None:
        """The status of the page that answers a request; None where the exchange itself answers."""
        if not self.error_page or random.random() >= self.error_page:
            return None
        return random.choice(self.pages)


def page_of(status: int) -> str:
    """The page of a status, as the edge writes it: 429 is plain text."""
    title, _ = PAGES[status]
    return title + "\n" if status == 429 else _PAGE.format(title=title)


def may_act(status: int) -> bool:
    """Whether the exchange may have carried out a request that this page answers."""
    return PAGES[status][1]


KEYS = (
    *("error_page", "pages", "ahead", "mode", "modes", "odd_rows", "fee_credits"),
    "always_merged",
)


def read(table: Mapping[str, Any], duration: Any) -> Conduct:
    """The keys of `[exchange]`; `duration` turns a time such as "2s" into nanoseconds. Raises
    ValueError naming key, value and what is allowed.
    """
    for key in table:
        if key not in KEYS:
            raise ValueError(f"exchange.{key} is not known; allowed: {', '.join(KEYS)}")
    rate, mode = float(table.get("error_page", 0)), str(table.get("mode", ONLINE))
    if not 0 <= rate <= 1:
        raise ValueError(f"exchange.error_page is {rate}; expected a probability from 0 to 1")
    if mode not in MODES:
        raise ValueError(f"exchange.mode is {mode!r}; allowed: {', '.join(MODES)}")
    pages = tuple(int(status) for status in table.get("pages", PAGES))
    if not pages or not PAGES.keys() >= set(pages):
        raise ValueError(f"exchange.pages is {list(pages)}; allowed: {', '.join(map(str, PAGES))}")
    modes = None
    if "modes" in table:
        modes = Interval(
            duration(table["modes"]["every"], "exchange.modes.every"),
            duration(table["modes"]["lasts"], "exchange.modes.lasts"),
        )
    text = str(table.get("ahead", "0s"))
    ahead = duration(text.removeprefix("-"), "exchange.ahead") * (-1 if text.startswith("-") else 1)
    return Conduct(
        error_page=rate,
        pages=pages,
        ahead=ahead,
        mode=mode,
        modes=modes,
        odd_rows=bool(table.get("odd_rows", False)),
        fee_credits=bool(table.get("fee_credits", False)),
        always_merged=bool(table.get("always_merged", False)),
    )
