"""Every refusal code is given by a story of its own; a code without a story has no business in the
table.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.board import Board
from engine.desk.messages import Overdue, Trouble
from engine.desk.rules import RiskRules, Rules, SymbolRules
from engine.desk.state import PRICE_ALERTS
from engine.model import intent as i
from engine.model import report as r
from engine.model.instrument import Instrument
from engine.model.order import OrderType, Trail
from engine.model.refusal import REFUSALS
from engine.model.side import Side
from engine.model.view import Answer
from engine.runtime.reserve import leaves_after
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
Tale = Callable[[], Iterable[Answer]]

NOT_OF_THE_DESK = {"READ_ONLY", "NOT_TAKEN"}
"""Given by the session that holds no account."""


def _bounded(**bounds: Any) -> Story:
    return Story(rules=Rules(risk=RiskRules(**bounds)), strict="require_stop" in bounds)


def _own(**rules: Any) -> Tale:
    """An entry of half a bitcoin under settings of its symbol."""
    return lambda: [Story(rules=Rules(symbols={BTC: SymbolRules(**rules)})).buy("0.5")]


def _entry(**terms: Any) -> Tale:
    return lambda: [Story().buy(**terms)]


def _within(terms: dict[str, Any] | None = None, **bounds: Any) -> Tale:
    return lambda: [_bounded(**bounds).buy(**(terms or {}))]


def _seen(at: int = 0, bid: str = "60000", ask: str = "60000.1", **terms: Any) -> Answer:
    """An entry by a picture that was told `at` milliseconds from now."""
    story = Story()
    told = story.now + at * SECOND // 1000
    return story.buy(seen=i.Seen(BTC, 1, told, D(bid), D(ask)), **terms)


def _burst() -> Iterable[Answer]:
    """More entries than the venue's limits let leave beside what a flatten of them needs."""
    story = Story()
    model = story.profile.limit_model()
    story.board.leaves_after = lambda entry: leaves_after(
        story.state, model, lambda _: False, entry, story.now
    )
    return [story.buy("0.01", type=LIMIT, price=D(59_000)) for _ in range(10)][-1:]


def _unknown_positions() -> Iterable[Answer]:
    story = Story()
    yield story.ask(i.MoveStop(id="1", position="none", stop=None))
    yield story.ask(i.MoveTarget(id="2", position="none", target=None))
    yield story.ask(i.SetTrail(id="3", position="none", trail=None))
    yield story.ask(i.BreakEven(id="4", position="none"))
    yield story.ask(i.ClosePosition(id="5", position="none"))
    yield story.ask(i.Reverse(id="6", position="none"))
    yield story.ask(i.Annotate(id="7", position="none", note=""))


def _unknown_orders() -> Iterable[Answer]:
    story = Story()
    yield story.ask(i.CancelOrder(id="1", order="none"))
    yield story.ask(i.AmendOrder(id="2", order="none", price=D(1)))


def _not_numbers() -> Iterable[Answer]:
    story = Story()
    yield story.buy(size=i.Base(D("NaN")))
    position = story.opened()
    yield story.ask(i.MoveStop(id="1", position=position.id, stop=i.At(D("NaN"))))
    yield story.ask(i.MoveTarget(id="2", position=position.id, target=i.At(D("Infinity"))))
    yield story.ask(i.MoveTarget(id="3", position=position.id, target=i.Away(D(-1))))
    yield story.ask(i.ClosePosition(id="4", position=position.id, part=D(0)))
    story.buy("0.1", symbol=ETH, type=LIMIT, price=D(2900))
    entry = story.order("entry")
    story.accept(entry)
    yield story.ask(i.AmendOrder(id="5", order=entry.client_order_id, price=D("2900.005")))
    yield story.ask(i.AmendOrder(id="6", order=entry.client_order_id, price=D("NaN")))


def _halted() -> Iterable[Answer]:
    story = Story()
    assert story.ask(i.Halt(id="h")).ok
    yield story.buy()


def _blocked() -> Iterable[Answer]:
    story = Story("kraken-futures")
    position = story.opened()
    assert story.ask(i.Pause(id="p")).ok
    yield story.buy()
    yield story.ask(i.Reverse(id="r", position=position.id))


def _no_price() -> Iterable[Answer]:
    story = Story()
    yield story.buy(symbol="XRP/BTC")
    position = story.opened()
    story.desk.board = Board()
    yield story.ask(i.MoveStop(id="1", position=position.id, stop=i.At(D(59_900))))
    yield story.ask(i.SetTrail(id="2", position=position.id, trail=Trail(fraction=D("0.01"))))


def _stale() -> Iterable[Answer]:
    story = Story()
    story.now += 31 * SECOND
    yield story.buy()


def _no_rate() -> Iterable[Answer]:
    profile = load_profile("kraken-spot")
    lone = instrument_for(profile, "XRP/GBP", D("0.0001"))
    story = Story(profile, listed=(lone,))
    story.price("XRP/GBP", "0.5", "0.5001")
    yield story.buy(symbol="XRP/GBP", size=i.Risk(D(10)), type=LIMIT, price=D("0.5"))
    yield story.buy("100", symbol="XRP/GBP", type=LIMIT, price=D("0.5"))


def _would_fire() -> Iterable[Answer]:
    story = Story()
    story.price(BTC, "60000", "60010")
    yield story.buy(stop=i.At(D(60_005)))
    yield story.buy(side=Side.SELL, stop=i.At(D("60005")))
    position = story.opened(stop=i.Away(D("0.01")))
    yield story.ask(i.MoveStop(id="1", position=position.id, stop=i.At(D(60_000))))
    yield story.ask(i.BreakEven(id="2", position=position.id))


def _moved_stop(stop: i.Place | None) -> Tale:
    def tale() -> Iterable[Answer]:
        story = Story()
        position = story.opened()
        yield story.ask(i.MoveStop(id="1", position=position.id, stop=stop))

    return tale


def _beyond_liquidation() -> Iterable[Answer]:
    story = Story("kraken-futures", cash="31000")
    position = story.opened("1")
    assert story.views.positions(story.ctx)[0].liquidation is not None
    yield story.ask(i.MoveStop(id="1", position=position.id, stop=i.At(D(29_000)), reason="room"))
    yield Story("kraken-futures", cash="31000").buy("1", stop=i.At(D(29_000)))
    yield Story("kraken-futures", cash="31000").buy("1", side=Side.SELL, stop=i.At(D(91_000)))


def _target() -> Iterable[Answer]:
    story = Story()
    yield story.buy(target=i.At(D(59_000)))
    position = story.opened()
    yield story.ask(i.MoveTarget(id="1", position=position.id, target=i.At(D(59_000))))


def _shorts() -> Iterable[Answer]:
    story = Story("binance-spot")
    yield story.buy(side=Side.SELL, stop=None)
    position = story.opened()
    yield story.ask(i.Reverse(id="r", position=position.id))


def _opposite() -> Iterable[Answer]:
    story = Story()
    story.opened(label="one")
    yield story.buy(side=Side.SELL)


def _in_doubt() -> Iterable[Answer]:
    story = Story()
    story.buy(type=LIMIT, price=D(59_000))
    name = story.order("entry").client_order_id
    story.tell(r.Unknown(name, "submit", "no answer", story.now))
    yield story.ask(i.CancelOrder(id="1", order=name))
    yield story.ask(i.AmendOrder(id="2", order=name, price=D(58_000)))


def _closing() -> Iterable[Answer]:
    story = Story("kraken-futures")
    position = story.opened()
    assert story.ask(i.ClosePosition(id="1", position=position.id)).ok
    yield story.ask(i.ClosePosition(id="2", position=position.id))
    yield story.ask(i.ClosePosition(id="3", position=position.id, part=D("0.5")))
    yield story.ask(i.Reverse(id="4", position=position.id))


def _nothing_to_do() -> Iterable[Answer]:
    story = Story()
    yield story.ask(i.CancelAll(id="1"))
    yield story.ask(i.CancelSymbol(id="2", symbol=BTC))
    yield story.ask(i.Resume(id="3"))
    story = Story("binance-spot")
    story.buy(type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.accept(entry)
    yield story.ask(i.AmendOrder(id="4", order=entry.client_order_id, price=D(58_000)))


def _nothing_left() -> Iterable[Answer]:
    story = Story("kraken-futures")
    position = story.opened(stop=None)
    story.ask(i.ClosePosition(id="1", position=position.id))
    story.fill(story.order("close"))
    yield story.ask(i.ClosePosition(id="2", position=position.id))


def _pending() -> Iterable[Answer]:
    story = Story()
    story.buy(type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    yield story.ask(i.AmendOrder(id="1", order=entry.client_order_id, price=D(58_000)))
    story.accept(entry)
    assert story.ask(i.CancelOrder(id="2", order=entry.client_order_id)).ok
    yield story.ask(i.CancelOrder(id="3", order=entry.client_order_id))


def _too_small() -> Iterable[Answer]:
    story = Story()
    position = story.opened("0.001")
    yield story.ask(i.ClosePosition(id="1", position=position.id, part=D("0.01")))


def _not_resumable() -> Iterable[Answer]:
    story = Story()
    story.tell(Trouble("BREAKER", "venue", "down", blocks=True))
    yield story.ask(i.Resume(id="1", reason="BREAKER"))


def _wrong_name() -> Iterable[Answer]:
    story = Story()
    story.tell(Trouble("LOOKING", "paper", "entries wait for its name", blocks=True))
    yield story.ask(i.GoLive(id="1", account="papier"))


def _too_many() -> Iterable[Answer]:
    profile = replace(load_profile("kraken-spot"), max_open_orders=5)
    story = Story(profile)
    for _ in range(3):
        assert story.buy("0.01", type=LIMIT, price=D(59_000)).ok
    yield story.buy("0.01", type=LIMIT, price=D(59_000))


def _unknown_symbol() -> Iterable[Answer]:
    yield Story().buy(symbol="NO/SUCH")
    yield Story(listed=()).buy(symbol="NO/SUCH")
    yield Story().ask(i.CancelSymbol(id="c", symbol="NO/SUCH"))


def _broke() -> Iterable[Answer]:
    yield Story(cash="100").buy("0.005", type=LIMIT, price=D(59_000))
    yield Story(cash="0").buy("0.5")


def _bound_up() -> Iterable[Answer]:
    story = Story("kraken-futures", cash="40000")
    story.opened("1", leverage=D(2))
    yield story.buy("0.1", leverage=D(1), symbol=ETH, size=i.Base(D(4)))
    assert story.buy("3", leverage=D(2), symbol=ETH).ok
    yield story.buy("0.1", leverage=D(1))


def _at_the_bound() -> Iterable[Answer]:
    yield _bounded(max_order=D("0.01")).buy()
    yield _bounded(max_order_notional=D(1000)).buy()


def _withdrawn() -> Iterable[Answer]:
    story = Story()
    assert story.ask(i.Withdraw(id="w", asked="f")).ok
    yield story.ask(i.Flatten(id="f"))


def _too_late() -> Iterable[Answer]:
    story = Story()
    story.ask(i.Pause(id="p"))
    yield story.ask(i.Withdraw(id="w", asked="p"))


def _overdue() -> Iterable[Answer]:
    story = Story()
    answer = story.tell(Overdue(i.Flatten(id="f", not_after=story.now), SECOND)).answer
    assert answer is not None
    yield answer
    assert story.state.flatten is None


def _unpriced() -> list[Answer]:
    """Nothing of what the account holds has a price."""
    story = Story()
    story.state.cash = {"KFEE": D(5)}
    return [story.buy()]


def _exit_taken() -> list[Answer]:
    story = Story()
    name = story.opened().id
    answers = [
        story.ask(i.LeaveAt(id=f"l{number}", position=name, price=D(61_000), size=D("0.3")))
        for number in range(2)
    ]
    return answers[1:]


def _too_many_alerts() -> list[Answer]:
    story = Story()
    for number in range(PRICE_ALERTS):
        story.ask(i.SetPriceAlert(id=f"a{number}", symbol=BTC, price=D(61_000 + number)))
    return [story.ask(i.SetPriceAlert(id="more", symbol=BTC, price=D(70_000)))]


STORIES: dict[str, Tale] = {
    "UNKNOWN_SYMBOL": _unknown_symbol,
    "UNKNOWN_POSITION": _unknown_positions,
    "UNKNOWN_ORDER": _unknown_orders,
    "UNKNOWN_DIFFERENCE": lambda: [
        Story().ask(i.Resolve(id="1", subject="none", action=i.Settlement.FORGET))
    ],
    "UNKNOWN_ALERT": lambda: [Story().ask(i.Acknowledge(id="1", alert="none"))],
    "UNKNOWN_PRICE_ALERT": lambda: [Story().ask(i.CancelPriceAlert(id="1", alert="none"))],
    "ALERT_REACHED": lambda: [
        Story().ask(i.SetPriceAlert(id="1", symbol=BTC, price=D(59_000), rises=True)),
        Story().ask(i.SetPriceAlert(id="1", symbol=BTC, price=D(61_000), rises=False)),
    ],
    "TOO_MANY_ALERTS": _too_many_alerts,
    "NOT_A_NUMBER": _not_numbers,
    "ENTRIES_BLOCKED": _blocked,
    "HALTED": _halted,
    "NO_PRICE": _no_price,
    "STALE_PRICE": _stale,
    "NO_RATE": _no_rate,
    "SIZE_BELOW_MINIMUM": _entry(size=i.Base(D("0.00004"))),
    "COST_BELOW_MINIMUM": _entry(
        symbol=ETH, size=i.Base(D("0.002")), type=LIMIT, price=D(200), stop=None
    ),
    "PRICE_MISSING": lambda: [
        Story().buy(type=LIMIT),
        Story().buy(type=STOP),
        Story().buy(size=i.Risk(D(100)), stop=None),
    ],
    "LIMITS_UNKNOWN": _unpriced,
    "STOP_WRONG_SIDE": lambda: [
        Story().buy(stop=i.At(D(61_000))),
        Story().buy(size=i.Risk(D(100)), stop=i.At(D(70_000))),
        Story().buy(side=Side.SELL, stop=i.At(D(59_000))),
    ],
    "PLACE_UNKNOWN": lambda: [
        Story().buy(stop=None, target=i.InR(D(2))),
        Story().buy(stop=i.InR(D(1))),
        Story().buy(size=i.Risk(D(300)), stop=i.Worth(D(300))),
    ],
    "RULE_TOO_NEAR": lambda: [
        Story().buy(break_even=i.BreakEvenRule(i.Away(D("0.0001")))),
        Story().buy(break_even=i.BreakEvenRule(i.InR(D(1)), ticks=20_000)),
    ],
    "PICTURE_OLD": lambda: [_seen(at=-501), _seen(at=501)],
    "MARKET_MOVED": lambda: [_seen(bid="59999.4"), _seen(ask="60000.7")],
    "WOULD_CROSS": lambda: [
        _seen(type=LIMIT, price=D("60000.3")),
        _seen(type=LIMIT, price=D("59999.8"), side=Side.SELL),
    ],
    "STOP_WOULD_FIRE": _would_fire,
    "STOP_OFF_TICK": _moved_stop(i.At(D("59500.05"))),
    "STOP_REQUIRED": _within({"stop": None}, require_stop=True),
    "STOP_LOOSER": lambda: [*_moved_stop(i.At(D(59_000)))(), *_moved_stop(None)()],
    "STOP_BEYOND_LIQUIDATION": _beyond_liquidation,
    "TARGET_WRONG_SIDE": _target,
    "TARGETS_OUT_OF_ORDER": lambda: [
        Story().buy(
            target=i.Away(D("0.01")), partials=(i.PartialTarget(i.Away(D("0.02")), D("0.5")),)
        ),
        Story().buy(partials=(i.PartialTarget(i.At(D(59_000)), D("0.5")),)),
        Story().buy(side=Side.SELL, partials=(i.PartialTarget(i.At(D(61_000)), D("0.5")),)),
    ],
    "TRIGGER_WRONG_SIDE": lambda: [
        Story().buy(type=STOP, trigger=D(59_000)),
        Story().buy(type=STOP, side=Side.SELL, trigger=D(61_000)),
    ],
    "LIMIT_TOO_FAR": lambda: [
        Story().buy(type=LIMIT, price=D(30_000)),
        Story().buy(type=STOP, trigger=D(90_000)),
    ],
    "SLIPPAGE": _within(max_slippage=D("0.0000001")),
    "BOOK_SHARE": lambda: [
        _bounded(max_book_share=D("0.01")).buy(),
        _bounded(max_book_share=D("0.01")).buy(side=Side.SELL),
    ],
    "MAX_POSITIONS": _within(max_positions=0),
    "MAX_POSITIONS_PER_SYMBOL": lambda: [
        *_within(max_positions_per_symbol=0)(),
        *_own(max_positions=0)(),
    ],
    "MIN_SIZE": _own(min_size=D("0.50000001")),
    "MAX_SIZE": _own(max_size=D("0.49999999")),
    "MAX_ORDER_NOTIONAL": _at_the_bound,
    "MAX_POSITION_NOTIONAL": _within(max_position=D("0.01")),
    "MAX_EXPOSURE": _within(max_exposure=D("0.01")),
    "MAX_TRADE_RISK": _within(max_trade_risk=D("0.00001")),
    "MAX_OPEN_RISK": _within(max_open_risk=D("0.00001")),
    "INSUFFICIENT_FUNDS": _broke,
    "INSUFFICIENT_MARGIN": _bound_up,
    "CANNOT_SHORT": _shorts,
    "LEVERAGE_TOO_HIGH": _entry(leverage=D(50)),
    "OPPOSITE_POSITION": _opposite,
    "IN_DOUBT": _in_doubt,
    "ALREADY_CLOSING": _closing,
    "NOTHING_TO_DO": _nothing_to_do,
    "NOTHING_LEFT": _nothing_left,
    "PENDING": _pending,
    "PART_TOO_SMALL": _too_small,
    "EXIT_TAKEN": _exit_taken,
    "NOT_RESUMABLE": _not_resumable,
    "WRONG_NAME": _wrong_name,
    "TOO_MANY_OPEN_ORDERS": _too_many,
    "NO_TOKENS": _burst,
    "WITHDRAWN": _withdrawn,
    "TOO_LATE": _too_late,
    "EXPIRED": _overdue,
}


@pytest.mark.hazard("H25")
@pytest.mark.parametrize("code", sorted(set(REFUSALS) - NOT_OF_THE_DESK))
def test_each_code_is_given_by_a_story(code: str) -> None:
    answers = list(STORIES[code]())
    assert answers
    for answer in answers:
        assert code in codes([answer]), answer
        for refusal in answer.refusals:
            assert refusal.text
            assert "{" not in refusal.text


def test_a_refused_entry_leaves_nothing_but_its_answer() -> None:
    story = Story()
    before = (len(story.requests), dict(story.state.cash))
    assert not story.buy(stop=i.At(D(61_000)), target=i.At(D(59_000)), size=i.Base(D(1000))).ok
    assert not story.state.positions
    assert not story.state.orders
    assert (len(story.requests), story.state.cash) == before
    assert story.spoken[-1].startswith("refused: the stop 61000 is on the wrong side")
    story.replays()


def test_all_reasons_are_told_at_once() -> None:
    answer = Story().buy(stop=i.At(D(61_000)), target=i.At(D(59_000)), size=i.Base(D(1000)))
    assert {
        "STOP_WRONG_SIDE",
        "TARGET_WRONG_SIDE",
        "MAX_ORDER_NOTIONAL",
        "INSUFFICIENT_FUNDS",
    } <= codes([answer])


def test_every_bound_admits_what_is_just_inside_it() -> None:
    inside: list[dict[str, Any]] = [
        {"max_positions": 1},
        {"max_order": D("0.0300001")},
        {"max_position": D("0.0300001")},
        {"max_exposure": D("0.0300001")},
        {"max_order_notional": D("30000.1")},
        {"max_trade_risk": D("0.00053891")},  # 300, 120 and 118.80 of fees, and a tick
        {"max_open_risk": D("0.00053891")},
        {"max_book_share": D("0.05")},
        {"require_stop": True},
    ]
    for bounds in inside:
        answer = _bounded(**bounds).buy("0.5")
        assert answer.ok, (bounds, answer.refusals)


def test_an_inverse_contract_is_bounded_by_its_quote_value() -> None:
    profile = load_profile("kraken-futures")
    inverse: Instrument = instrument_for(profile, "PI_XBTUSD", D("0.5"))
    story = Story(profile, listed=(inverse,))
    story.price("PI_XBTUSD", "60000", "60000.5")
    assert story.buy(symbol="PI_XBTUSD", size=i.Notional(D("6000.7"))).ok
    assert story.order("entry").size == D(6000)
    assert codes([story.buy(symbol="PI_XBTUSD", size=i.Base(D(5_000_000)))]) >= {
        "MAX_ORDER_NOTIONAL"
    }
