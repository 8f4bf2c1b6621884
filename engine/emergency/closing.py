"""One run of the last exit: look, do what is missing, look again; flat only on two pictures that
agree and count.
"""

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND
from engine.emergency.acting import Acting
from engine.emergency.budget import OutOfTimeError
from engine.emergency.guarding import LAST
from engine.emergency.holding import Left, tradable
from engine.emergency.ours import from_summary
from engine.emergency.sending import NO_DEADLINE, Sent
from engine.emergency.telling import describe
from engine.model.money import ZERO

PAUSE = SECOND // 5
GONE_AFTER = 60 * SECOND
"""What our books have and the venue lacks is believed to be gone only from pictures so much later
than our last action.
"""
ASKED_AGAIN = 2 * SECOND
"""Between two questions about an exit that no list has."""
RESTS = "the venue lists no position, but by its id, our stop rests: what is held is not known"
UNSAID = "the venue lists neither position nor stop, and does not answer about the stop by its id"
STRANGE_AFTER = 30 * SECOND
"""What nobody can attribute, where this exit has sold something, may be what it sold, in a view
that lags more than the settings say.
"""


class Result(Struct, frozen=True):
    """How it ended."""

    flat: bool
    lines: tuple[str, ...]
    """What is held, rests, was closed or left alone."""


class Closing(Acting):
    """One run against one account."""

    def _seed(self) -> None:
        """Take up what the dead engine had working or on the wire."""
        self._evidence.list(self._instruments.values())
        summary = self._ours.summary
        if summary is None:
            return
        orders = [
            from_summary(order, summary)
            for order in summary.orders
            if order.symbol in self._instruments
        ]
        # each execution counts once, whatever the summary had heard
        self._evidence.seed(replace(order, filled=ZERO) for order in orders)
        for known, order in zip(
            (one for one in summary.orders if one.symbol in self._instruments), orders, strict=True
        ):
            if order.venue_order_id is not None:
                self.told.parts.introduce(order)
            self._seen[order.client_order_id] = order
            ends_at = known.deadline or known.touched_at + NO_DEADLINE
            if known.in_doubt or known.venue_order_id is None:
                self._sender.unresolved[known.client_order_id] = Sent(order, ends_at)

    # The run

    async def run(self) -> Result:
        """Close everything of ours. Never raises for what the venue does."""
        self._seed()
        try:
            while self._clock.now() < self._terms.until - LAST:
                if (result := await self._round()) is not None:
                    return result
        except OutOfTimeError as error:
            self._say(str(error))
        self._budget.until = self._terms.until
        await self._guard()
        return Result(False, tuple(self._lines(flat=False)))

    async def _round(self) -> Result | None:
        """Look, do what is missing, look again. The result, once two pictures agree that nothing
        more can be done.
        """
        if not await self.told.decisive():
            await self._clock.sleep(PAUSE)
            return None
        self._unlisted.clear()  # a new picture is judged anew
        await self._hear()
        acted = await self._entries()
        acted = await self._contracts() or acted
        # what it proves goes now; the executions may take a while
        if self._ours.summary is not None:
            await self._doubts()
            # a picture from before the last action proves nothing: executions are asked for with
            # the next one
            if await self._coins(early=True):
                self._pictures.clear()
                await self._rest()
                return None
        complete = await self.told.executions()
        await self._learn_symbols()
        await self._hear()
        self._sender.resolve()
        await self._doubts()
        if complete:
            acted = await self._contracts() or acted
            acted = await self._coins() or acted
        acted = await self._leftovers() or acted
        if acted or not complete:
            self._pictures.clear()
            await self._rest()
            return None
        return await self._settled()

    async def _hear(self) -> None:
        """Prices for what is held, and the picture for the gate."""
        await self.told.prices(tuple(self._wanted()))
        picture = self.told.picture()
        if picture is not None:
            self._seen |= {order.client_order_id: order for order in picture.orders}
            self._gate.hear(picture, self._clock.now())
        self._holding.counts = self._counts(0)
        self._budget.keep_for(
            len(self.told.rows()), sum(bool(left.closable) for left in self._holding.lefts())
        )

    def _wanted(self) -> list[str]:
        """Symbols whose prices matter."""
        held = [
            symbol
            for symbol, size in (self.told.holdings.net if self.told.holdings else {}).items()
            if size
        ]
        coins = {
            name
            for name, amount in (self.told.holdings.balances if self.told.holdings else {}).items()
            if amount
        }
        held += [
            one.symbol
            for one in self._instruments.values()
            if one.base in coins and one.base not in self._terms.currencies
        ]
        return [
            symbol
            for symbol in dict.fromkeys((*self._ours.symbols, *held))
            if symbol in self._instruments
        ]

    async def _learn_symbols(self) -> None:
        """List symbols in which we traded and of which the settings say nothing."""
        missing = [symbol for symbol in self._ours.symbols if symbol not in self._instruments]
        if self.told.holdings is not None:
            missing += [
                symbol
                for symbol, size in self.told.holdings.net.items()
                if size and symbol not in self._instruments
            ]
        if missing:
            await self.told.ask("symbols", lambda: self.told.parts.widen(missing), 1)
            for instrument in await self.told.ask("symbols", self._venue.instruments, 1) or ():
                self._instruments.setdefault(instrument.symbol, instrument)
            self._evidence.list(self._instruments.values())

    # The end

    async def _settled(self) -> Result | None:
        """Two pictures in a row that agree and count end the run."""
        lefts = self._holding.lefts()
        waits = any(left.closable for left in lefts) and self._can_close(lefts)
        strange = self._sender.closed and any(left.beyond for left in lefts)
        later = (
            GONE_AFTER
            if any(self._is_missing(left) for left in lefts)
            else STRANGE_AFTER
            if strange
            else 0
        )
        kept = {left.symbol for left in lefts if left.stuck}
        rests = any(row.symbol not in kept for row in self.told.rows())
        if waits or rests or self._sender.unresolved or not self._counts(later):
            self._pictures.clear()
            await self._wait(later if not waits and self._counts(0) else 0)
            return None
        if later == GONE_AFTER and await self._denied(lefts):
            self._pictures.clear()
            await self._clock.sleep(ASKED_AGAIN)
            return None
        self._pictures.append(
            tuple(
                (left.symbol, left.on_margin, left.ours, left.closable, left.beyond, left.short)
                for left in lefts
            )
        )
        if len(self._pictures) < 2 or self._pictures[-1] != self._pictures[-2]:
            return None
        flat = not any(left.closable or left.stuck or left.beyond or left.short for left in lefts)
        return Result(flat, tuple(self._lines(flat=flat)))

    async def _denied(self, lefts: list[Left]) -> bool:
        """Whether an exit of ours is in no list, and the venue, asked for it by its id, does not
        say that it is over: then lists that lack what it protects prove nothing.
        """
        missing = {left.symbol for left in lefts if self._is_missing(left)}
        listed = {
            self._ours.name_of(row.client_order_id, row.venue_order_id) for row in self.told.rows()
        }
        for name, order in list(self._seen.items()):
            unlisted = order.symbol in missing and order.is_exit and name not in listed
            if unlisted and name not in self._sender.ended:
                rests = await self._sender.is_open(order)
                if rests is not False:
                    self._unlisted[order.symbol] = RESTS if rests else UNSAID
        return bool(self._unlisted)

    async def _wait(self, more: int, least: int = PAUSE) -> None:
        """Until another picture may tell more than this one: views that lag can't, and questions
        cost tokens.
        """
        now = self._clock.now()
        closable = [left for left in self._holding.lefts() if left.closable]
        if self._sender.unresolved:
            until = self._sender.worth_waiting()
        elif closable and self._can_close(closable):
            until = min(self._refused.get(left.symbol, 0) for left in closable)
        elif self.told.rows():
            until = now
        else:
            until = max(self._sender.last_action, self._last_known()) + max(self._terms.lag, more)
        pause = min(max(until - now, least), self._terms.until - LAST - now)
        await self._clock.sleep(max(pause, 0))

    async def _rest(self) -> None:
        """After the last action, as far as is known: nothing is asked that could not count yet."""
        if not (
            self._sender.unresolved
            or self.told.rows()
            or any(left.closable for left in self._holding.lefts())
        ):
            await self._wait(0, 0)

    def _can_close(self, lefts: list[Left]) -> bool:
        return any(left.closable and (left.on_margin or self._terms.coins) for left in lefts)

    def _is_missing(self, left: Left) -> bool:
        quote = self.told.quote(left.symbol)
        return tradable(
            left.instrument,
            left.instrument.round_size(abs(left.missing)),
            None if quote is None else quote.mid,
        )

    def _lines(self, *, flat: bool) -> list[str]:
        """What is held, rests, was left alone, or is nobody's."""
        verdict, *lines = describe(
            self._holding.lefts(),
            self.told,
            self._sender,
            self._clock.now() - self._began,
            flat=flat,
            coins=self._terms.coins,
        )
        return [verdict, *(f"{symbol}: {text}" for symbol, text in self._unlisted.items()), *lines]
