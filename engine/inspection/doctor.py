"""What can be wrong before money is at stake, looked at one by one, each with what to do
about it.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

from engine.account.identity import KeyChangedError, check_key
from engine.clock import SECOND, Clock
from engine.inspection import outside
from engine.inspection.findings import BadError, Finding
from engine.inspection.venue import seen
from engine.journal import Journal, JournalError
from engine.model.money import UP, on_grid
from engine.model.order import Order, OrderType, Role
from engine.model.quote import Quote
from engine.model.report import Connected, VenueReport
from engine.model.side import Side
from engine.setup.accounts import Resolved
from engine.setup.sections import AccountSettings
from engine.venues.exchanges import PRICES
from engine.venues.live.admission import admit
from engine.venues.live.keys import find
from engine.venues.looking import Looking, Validating
from engine.venues.protocol import VenueError

ROOM = 200_000_000
"""Bytes that the disk of the journal should have left."""
SKEW = SECOND
"""By how much clocks may differ: deadlines and ages are told in them."""
PATIENCE = 15.0


class Doctor:
    """Looks at one account."""

    def __init__(self, resolved: Resolved) -> None:
        self._settings = resolved.settings
        self._resolved = resolved
        self._home = resolved.folder

    async def look(self) -> AsyncIterator[Finding]:
        """Everything, one by one; what can't be looked at because of what is wrong before it is
        left out.
        """
        for what, step in (
            ("account", self._account),
            ("home", self._folder),
            ("disk", self._disk),
            ("journal", self._journal),
            ("notifications", partial(outside.notifications, self._settings)),
            ("jetstream", partial(outside.jetstream, self._settings)),
            ("metrics", partial(outside.metrics, self._settings)),
            ("websocket", partial(outside.websocket, self._settings)),
        ):
            yield await _found(what, step)
        if self._settings.account.venue != "paper" or self._settings.market.source not in (
            "simulated",
            "recorded",
            *PRICES,
        ):
            async for finding in self._exchange():
                yield finding

    async def _account(self) -> str:
        unopened = "" if self._resolved.stored else " (by the settings: it was not opened yet)"
        return f"{self._resolved.label()}{unopened}"

    async def _folder(self) -> str:
        folder = self._home
        if not folder.exists():
            above = _existing(folder)
            if not os.access(above, os.W_OK | os.X_OK):
                raise BadError(
                    f"{folder} is not there, and {above} can't be written",
                    "name another one with --home",
                )
            return f"{folder}: none yet: it begins with the first session"
        if not os.access(folder, os.W_OK):
            raise BadError(
                f"{folder} can't be written", f"chmod u+w {folder}, or name another one with --home"
            )
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            raise BadError(
                f"{folder} may be read by others (mode {mode:04o})", f"chmod 700 {folder}"
            )
        return str(folder)

    async def _disk(self) -> str:
        free = shutil.disk_usage(_existing(self._home)).free
        if free < ROOM:
            raise BadError(
                f"{free // 1_000_000} MB are left",
                "make room: entries stop when the journal can't be written",
            )
        return f"{free // 1_000_000} MB are left"

    async def _journal(self) -> str:
        settings, path = self._settings, self._home / "journal.sqlite"
        if settings.journal.url is None and not path.exists():
            return "none yet: it begins with the first session"
        where = settings.journal.url or path
        try:
            journal = await asyncio.to_thread(
                Journal.open, where, settings.account.name, "doctor", now=0, read_only=True
            )
        except JournalError as error:
            raise BadError(
                str(error),
                "restore it, or name another one with journal.url; `flatout flatten --yes` works"
                " without it",
            ) from error
        try:
            last = max((stored.at for stored in journal.tail(1)), default=0)
        finally:
            journal.close()
        return f"readable, last event {last // SECOND}" if last else "readable, empty"

    async def _key(self) -> str:
        account = self._settings.account
        try:
            found = find(account.name, self._home)
        except VenueError as error:
            raise BadError(str(error), "without a key nothing can be traded") from error
        try:
            check_key(self._resolved.identity, found.key)
        except KeyChangedError as error:
            raise BadError(
                str(error),
                f"use the account's own key, or say `flatout accounts confirm {account.name}`",
            ) from error
        return f"found in {found.origin}"

    async def _exchange(self) -> AsyncIterator[Finding]:
        settings = self._settings
        real = settings.account.venue != "paper"
        if real:
            finding = await _found("key", self._key)
            yield finding
            if not finding.ok:
                return
        clock = Clock(asyncio.get_running_loop())
        if real:
            venue: Looking = seen(settings).validating(self._home, clock)
        else:
            venue = seen(settings, settings.market.source).prices(clock)
        line = LineCheck(venue, settings.account)
        try:
            for what, step, needed in line.steps():
                finding = await _found(what, step)
                yield finding
                if needed and not finding.ok:
                    return
        finally:
            await venue.close()


class LineCheck:
    """Looks at one exchange, without an order."""

    def __init__(self, venue: Looking, account: AccountSettings) -> None:
        self._venue = venue
        self._account = account
        self._real = isinstance(venue, Validating)
        self._quotes: dict[str, Quote] = {}
        self._priced = asyncio.Event()
        self._connected = asyncio.Event()

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]], bool]]:
        """What, how, and whether the rest makes no sense without it."""
        public = [("exchange", self._reaches, True), ("clock", self._clocks, False)]
        private = [
            ("permissions", self._permissions, True),
            ("streams", self._streams, True),
            ("order", self._dry, False),
        ]
        return [*public, *(private if self._real else [("streams", self._streams, True)])]

    async def _reaches(self) -> str:
        instruments = await self._venue.instruments()
        return ", ".join(
            f"{i.symbol} (tick {i.tick:f}, minimum {i.min_size:f})" for i in instruments
        )

    async def _clocks(self) -> str:
        skew = await self._venue.measure_skew()
        if abs(skew) > SKEW:
            way = "behind" if skew > 0 else "ahead of"
            raise BadError(
                f"this clock is {abs(skew) / SECOND:.1f} s {way} the exchange's",
                "set the clock: switch NTP on",
            )
        return "agree to the second"

    async def _permissions(self) -> str:
        facts = await self._venue.key_facts()
        try:
            admit(facts, self._account.name, withdrawals=self._account.withdrawals)
        except VenueError as error:
            raise BadError(
                str(error), "make a key that may query, trade and cancel, and nothing else"
            ) from error
        return ", ".join(facts.permissions) or "it may trade"

    async def _streams(self) -> str:
        if self._real:
            await self._venue.hear(self._on_report, self._on_quote)
            async with asyncio.timeout(PATIENCE):
                await self._connected.wait()
        else:
            await self._venue.hear_prices(self._on_quote, lambda _: None)
        async with asyncio.timeout(PATIENCE):
            await self._priced.wait()
        return "private and public streams are heard" if self._real else "prices are heard"

    def _on_report(self, report: VenueReport) -> None:
        if isinstance(report, Connected):
            self._connected.set()

    def _on_quote(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote
        self._priced.set()

    async def _dry(self) -> str:
        if not isinstance(self._venue, Validating) or not self._venue.profile.dry_run:
            return "there is no dry run here"
        quote = next(iter(self._quotes.values()))
        instrument = next(i for i in await self._venue.instruments() if i.symbol == quote.symbol)
        price = instrument.round_price(quote.bid * 7 / 10)
        size = on_grid(
            max(instrument.min_size, instrument.size_for(instrument.min_cost, price)),
            instrument.lot,
            UP,
        )
        order = Order(
            f"{self._venue.prefix}DRY",
            "",
            quote.symbol,
            Side.BUY,
            OrderType.LIMIT,
            Role.ENTRY,
            size,
            price=price,
        )
        refused = await self._venue.validate(order)
        if refused:
            remedy = "see whether there is money, and whether the key may trade"
            raise BadError(f"the exchange would refuse the smallest order: {refused}", remedy)
        return "the exchange would take an order (dry run)"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


async def _found(what: str, step: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(what, ok=True, detail=await step())
    except BadError as error:
        return Finding(what, ok=False, detail=str(error), remedy=error.remedy)
    except (VenueError, TimeoutError, OSError) as error:
        text = str(error) or "no answer in time"
        return Finding(
            what,
            ok=False,
            detail=f"{type(error).__name__}: {text}",
            remedy="see whether the exchange can be reached from here",
        )
