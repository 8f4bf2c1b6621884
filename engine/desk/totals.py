"""Figures over all positions, told from the kept sums; the long way only where something has no
price or no rate.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.desk import figures
from engine.desk.context import Context, on_margin
from engine.desk.groups import NOTHING
from engine.desk.kept import kept
from engine.desk.parts import AtMarket
from engine.desk.sums import Kept, Money
from engine.model.account import worth
from engine.model.figures import Sums
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.side import Side

NOBODY: frozenset[str] = frozenset()
Amounts = Callable[[Money], tuple[Decimal, ...]]
"""Of a currency's sums those that are meant."""


# What it is worth


def equity(ctx: Context) -> tuple[Decimal, frozenset[str]]:
    """All money in the account's currency, and what was left out because it has no price.

    Coins are cash of their currency, and those of our positions are worth their mark; what is held
    on margin adds its unrealised profit. Summed once for each change of what is held, of the cash
    and of a price.
    """
    sums, cash = kept(ctx), ctx.state.cash
    if sums.equity is None or sums.equity[0] != sums.version or sums.equity[1] != cash:
        sums.equity = (sums.version, dict(cash), _equity(ctx, sums))
    return sums.equity[2]


def _equity(ctx: Context, sums: Kept) -> tuple[Decimal, frozenset[str]]:
    found = (
        None if sums.unpriced else _in_account(ctx, sums, lambda money: (money.lent, money.coins))
    )
    if found is None:
        return equity_without(ctx, NOBODY)
    rest, left_out = worth(_left(ctx.state.cash, sums), ctx.state.currency, ctx.board.rate)
    return found + rest, left_out


def _left(cash: Mapping[str, Decimal], sums: Kept) -> Mapping[str, Decimal]:
    """What lies among the balances and no position of ours holds, by currency; of what has not
    changed, as it was told last.
    """
    before, coins = sums.cash, sums.coins
    changed = [name for name, amount in cash.items() if before.get(name) is not amount]
    if len(before) + len(changed) > len(cash):
        changed += [name for name in before if name not in cash]
    for name in (*changed, *sums.moved_coins):
        left = cash.get(name, ZERO) - coins.get(name, ZERO)
        if left:
            sums.left[name] = left
        else:
            sums.left.pop(name, None)
    sums.moved_coins.clear()
    if changed:
        sums.cash = dict(cash)
    return sums.left


def _in_account(ctx: Context, sums: Kept, amounts: Amounts) -> Decimal | None:
    """Some amounts of each currency in the account's; None where one has no rate."""
    total = ZERO
    for currency, money in sums.money.items():
        for amount in amounts(money):
            converted = ctx.to_account(amount, currency)
            if converted is None:
                return None
            total += converted
    return total


def equity_without(ctx: Context, names: frozenset[str]) -> tuple[Decimal, frozenset[str]]:
    """The equity less what currencies and symbols of these names hold, and what else was left out
    for want of a price.

    What our positions hold is worth what it could be closed at now; only what no position holds is
    worth the middle of the market.
    """
    cash = {name: amount for name, amount in ctx.state.cash.items() if name not in names}
    total, missing = ZERO, set()
    for position in ctx.state.positions.values():
        instrument = ctx.instrument(position)
        lent = on_margin(ctx, position)
        if not position.is_open or (position.symbol if lent else instrument.base) in names:
            continue
        worth_now = _worth_now(ctx, position, instrument, lent=lent)
        if worth_now is not None:
            total += worth_now
            if not lent:
                cash[instrument.base] = cash.get(instrument.base, ZERO) - position.signed_size
        elif lent:
            missing.add(position.symbol)
    rest, left_out = worth(cash, ctx.state.currency, ctx.board.rate)
    return total + rest, frozenset(missing | left_out)


def _worth_now(
    ctx: Context, position: Position, instrument: Instrument, *, lent: bool
) -> Decimal | None:
    """What a position adds to the equity: its profit where it is on margin, else what its coins
    would bring (or cost).
    """
    mark = ctx.mark(position)
    if mark is None:
        return None
    if lent:
        return ctx.to_account(position.unrealised_profit(instrument, mark), position.settle)
    return ctx.to_account(position.signed_size * mark, instrument.quote)


def unrealised(ctx: Context) -> tuple[Decimal, frozenset[str]]:
    """Profit of all that is held, in the account's currency, and the symbols left out for want of a
    price or a rate.
    """
    sums = kept(ctx)
    found = None if sums.unpriced else _in_account(ctx, sums, lambda money: (money.unrealised,))
    return _unrealised(ctx) if found is None else (found, NOBODY)


def _unrealised(ctx: Context) -> tuple[Decimal, frozenset[str]]:
    """The same, position by position."""
    total, left_out = ZERO, set()
    for position in ctx.state.positions.values():
        if not position.is_open:
            continue
        mark = ctx.mark(position)
        profit = None
        if mark is not None:
            profit = ctx.to_account(
                position.unrealised_profit(ctx.instrument(position), mark), position.settle
            )
        if profit is None:
            left_out.add(position.symbol)
        else:
            total += profit
    return total, frozenset(left_out)


# What is bound


def borrowed(ctx: Context, symbol: str) -> Decimal:
    """Signed size of a symbol that is held on credit."""
    known = kept(ctx).symbols.get(symbol)
    return ZERO if known is None else known.credit


class AtStops(Struct, frozen=True, gc=False):
    """What would be lost if every stop were hit now, in the account's currency."""

    shown: Decimal | None
    """Zero or below; None is UNBOUNDED."""
    counted: Decimal
    """What limits count, zero or above: what is unbounded counts with its whole notional, or up to
    the liquidation of all.
    """


def at_stops(ctx: Context, without: str = "") -> AtStops:
    """Over all positions but one, and all entries that may still fill. Dust is passed over."""
    lost, bare, unbounded = lost_at_stops(ctx)
    position = ctx.state.positions.get(without)
    if position is not None and position.size > ZERO and not position.dust:
        its_own, its_bare = lost_of(ctx, position)
        lost, bare, unbounded = lost - its_own, bare - its_bare, unbounded - bool(its_bare)
    return AtStops(None if unbounded else -lost, lost + up_to_liquidation(ctx, bare))


def lost_at_stops(ctx: Context) -> tuple[Decimal, Decimal, int]:
    """What is lost at stops, the notional that no stop covers (both in the account's currency), and
    of how many positions and entries that is.
    """
    sums = kept(ctx)
    lost, bare, unbounded = ZERO, ZERO, sums.unbounded
    for currency, money in sums.money.items():
        lost += in_account(ctx, money.at_stop, currency)
        bare += in_account(ctx, money.bare + money.wanted_bare, currency)
    for name in sums.market:
        for is_bounded, amount, currency in _at_market(ctx, sums, name).losses:
            converted = in_account(ctx, amount, currency)
            lost, bare = (lost + converted, bare) if is_bounded else (lost, bare + converted)
            unbounded += not is_bounded
    return lost, bare, unbounded


def up_to_liquidation(ctx: Context, notional: Decimal) -> Decimal:
    """What can be lost of a notional without a stop: what is lent is liquidated before more than
    the equity is gone.

    As long as something has no price nobody knows how much that is, and all of it counts.
    """
    money, unpriced = equity(ctx)
    return notional if unpriced else min(notional, max(money, ZERO))


def lost_of(ctx: Context, position: Position) -> tuple[Decimal, Decimal]:
    """What of a position is lost at its stop, and the notional that no stop covers, in the
    account's currency.
    """
    instrument, bare = ctx.instrument(position), figures.uncovered(ctx, position)
    lost = in_account(ctx, figures.lost_at_stop(ctx, position, bare), instrument.settle)
    price = ctx.mark(position) or position.entry_price(instrument)
    return lost, in_account(ctx, instrument.notional(bare, price), instrument.quote)


def _at_market(ctx: Context, sums: Kept, name: str) -> AtMarket:
    """What the entries of a position that follow the market lose; told once for each price and each
    change of the position.
    """
    quote, known = ctx.quote(sums.parts[name].symbol), sums.market[name]
    if known is None or known.quote is not quote:
        known = sums.market[name] = AtMarket(quote, tuple(_losses(ctx, name, quote)))
    return known


def _losses(ctx: Context, name: str, quote: Quote | None) -> Iterator[tuple[bool, Decimal, str]]:
    position = ctx.state.positions[name]
    instrument = ctx.instrument(position)
    for order in ctx.state.orders_for(name):
        if order.is_exit or order.remaining <= ZERO or figures.fixed_price(order) is not None:
            continue
        best = None if quote is None else quote.ask if order.side is Side.BUY else quote.bid
        price = best or order.price or ZERO
        loss = figures.entry_at_stop(ctx, order, position, price)
        if loss is None:
            yield False, instrument.notional(order.remaining, price), instrument.quote
        else:
            yield True, loss, instrument.settle


def committed(ctx: Context, symbol: str | None = None) -> Decimal:
    """Notional of all that is held and of all entries in flight, in all or in a symbol, in the
    account's currency.

    What has no rate counts at its own number.
    """
    sums = kept(ctx)
    if symbol is None:
        return sum(
            (in_account(ctx, money.committed, currency) for currency, money in sums.money.items()),
            ZERO,
        )
    known = sums.symbols.get(symbol)
    return (
        ZERO
        if known is None
        else in_account(ctx, sums.worth[symbol].committed, known.instrument.quote)
    )


def margin_used(ctx: Context) -> Decimal | None:
    """Initial margin of all that is held, and of all entries that may still fill; None where a part
    has no rate.
    """
    return _in_account(ctx, kept(ctx), lambda money: (money.margin,))


def reserved(ctx: Context, currency: str) -> Decimal:
    """What entries that buy are to pay in a currency."""
    money = kept(ctx).money.get(currency)
    return ZERO if money is None else money.reserved


def in_account(ctx: Context, amount: Decimal, currency: str) -> Decimal:
    """An amount in the account's currency; at its own number without a rate, so that no limit takes
    it for nothing.
    """
    converted = ctx.to_account(amount, currency)
    return amount if converted is None else converted


# What it came to


def by_symbol(ctx: Context) -> dict[str, Sums]:
    """What each symbol has come to so far, in the account's currency. What has no price or no rate
    is left out.
    """
    sums = kept(ctx)
    at = (sums.version, ctx.state.seq)
    if sums.by_symbol is None or sums.by_symbol[0] != at:
        sums.by_symbol = (at, _by_symbol(ctx, sums))
    return sums.by_symbol[1]


def _by_symbol(ctx: Context, sums: Kept) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    for symbol, done in ctx.state.traded.items():
        settle = ctx.state.instruments[symbol].settle
        told = (
            ctx.to_account(amount, settle) or ZERO
            for amount in (done.realised, done.fees, done.funding)
        )
        realised, fees, funding = told
        found[symbol] = Sums(realised=realised, fees=fees, funding=funding)
    for symbol, known in sums.symbols.items():
        instrument, worth_now = known.instrument, sums.worth.get(symbol, NOTHING)
        fee = worth_now.rest * ctx.rates(instrument).taker
        amounts = (known.realised, worth_now.unrealised, known.fees, known.funding, fee)
        held = Sums(*(ctx.to_account(amount, instrument.settle) or ZERO for amount in amounts))
        found[symbol] = found.get(symbol, Sums()).plus(held)
    return found


def funding_of_all(ctx: Context) -> Decimal:
    """What funding and loans paid so far, whoever it was for, in the account's currency."""
    return sum(
        (
            ctx.to_account(amount, name) or ZERO
            for name, amount in ctx.state.totals.financing.items()
        ),
        ZERO,
    )


def measured(ctx: Context) -> Decimal:
    """The equity on the base of the last sample: what had no price then is left out, though it may
    have one since.
    """
    left_out = ctx.state.unpriced
    return (
        equity_without(ctx, frozenset(left_out))[0]
        if left_out or kept(ctx).unpriced
        else equity(ctx)[0]
    )


def loss_left(ctx: Context, equity: Decimal) -> Decimal | None:
    """What may still be lost today before entries are locked out: the limit less the day's loss, in
    the account's currency; None without a limit.

    Once the operator has resumed after a lockout, the limit is counted anew from the equity at that
    moment.
    """
    day, bound = ctx.state.day, ctx.rules.risk.daily_loss
    if bound is None or day.equity is None or day.equity <= ZERO:
        return None
    start = ctx.state.resumed_from or day.equity
    return day.equity * bound - max(start - equity, ZERO)


def total(ctx: Context) -> Sums:
    """What everything has come to, in the account's currency."""
    return summed(by_symbol(ctx))


def summed(symbols: dict[str, Sums]) -> Sums:
    """Several symbols together."""
    total = Sums()
    for sums in symbols.values():
        total = total.plus(sums)
    return total
