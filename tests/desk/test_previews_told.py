"""What a preview says, figure by figure: each is worked out by hand beside it."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.previews import money, preview
from engine.desk.rules import RiskRules, Rules
from engine.desk.state import encode_state
from engine.model import intent as i
from engine.model.instrument import Instrument
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.view import Preview
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"

Told = dict[str, tuple[str, str, str]]


def lines(told: Preview) -> Told:
    """From a line's name to what it says before and after, and in which tone."""
    assert len({line.name for line in told.lines}) == len(told.lines)
    return {line.name: (line.before, line.after, line.tone) for line in told.lines}


def previewed(story: Story, intent: i.AnyIntent) -> Preview:
    """A preview, and the promise that it changed nothing."""
    before = encode_state(story.state)
    told = preview(story.ctx, intent)
    assert encode_state(story.state) == before
    return told


def ticket(story: Story, **terms: Any) -> Preview:
    """The preview of an entry: half a bitcoin, bought, its stop one per cent away."""
    defaults: dict[str, Any] = {
        "id": "p",
        "symbol": BTC,
        "side": Side.BUY,
        "size": i.Base(D("0.5")),
        "stop": i.Away(D("0.01")),
    }
    return previewed(story, i.OpenBracket(**{**defaults, **terms}))


def shows(story: Story, symbol: str, bid: str, bid_size: str, ask: str, ask_size: str) -> None:
    """A quote with a size of its own on each side."""
    assert not story.board.on_quote(
        Quote(symbol, story.now, D(bid), D(bid_size), D(ask), D(ask_size))
    )


def euro() -> Instrument:
    """A perpetual whose profit nothing here converts into dollars."""
    return instrument_for(load_profile(FUTURES), "ETH/EUR", D("0.01"))


def adopted(instrument: Instrument, size: str, bid: str) -> Story:
    """A position in something that has no rate, taken over from the venue because no entry would
    pass.
    """
    story = Story(FUTURES, listed=(instrument,))
    story.price(instrument.symbol, bid)
    story.now += 20 * SECOND
    story.picture(net={instrument.symbol: D(size)})
    assert story.ask(i.Resolve(id="a", subject=instrument.symbol, action=i.Settlement.ADOPT)).ok
    return story


# Money


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (None, "no rate"),
        (D(0), "▲0.00 USD"),
        (D("0.4"), "▲0.40 USD"),
        (D("-0.4"), "▼0.40 USD"),
        (D("1234.567"), "▲1,234.57 USD"),
        (D("-98765"), "▼98,765.00 USD"),
    ],
)
def test_money_has_its_sign_as_an_arrow(amount: Decimal | None, said: str) -> None:
    assert money(amount, "USD") == said


# A ticket


def test_every_line_of_a_ticket() -> None:
    story = Story(strict=True)
    told = ticket(story, target=i.Away(D("0.02")))
    assert (told.title, told.refusals) == ("BUY BTC/USD", ())
    assert lines(told) == {
        "size": ("", "0.5 = 30,000.05 USD", "plain"),
        "fills now": ("", "0.5 displayed at 60,000.1", "plain"),
        "worst price": ("", "60,300.1", "plain"),  # 60000.1 * 1.005 = 60300.1005, down to the tick
        "entry fee": ("", "120.00 USD, taker 0.40%, assumed", "plain"),  # of 30000.05
        "exit fee": ("", "118.80 USD, taker 0.40%, assumed", "plain"),  # of 29700.05, at the stop
        # 60000.1 * 1.004 / 0.996 = 60482.02..., up to the tick
        "break-even": ("", "60,482.1", "plain"),
        # 0.5 * (60000.1 - 59400.1), and both fees
        "risk (1R)": ("", "538.80 USD at 59,400.1 = 0.05% of equity", "bad"),
        "spread": ("", "0.05 USD, 0.000%", "plain"),  # a tenth of a dollar on each
        "at stops": ("0.00 of 250,000.00", "−538.80 of 250,000.00", "plain"),
        # 0.5 * (61200.2 - 60000.1), less 120.00 and 122.40
        "reward": ("", "357.65 USD at 61,200.2 = 0.66R", "good"),
    }
    assert told.warnings == (
        "the venue can't rest stop and target together: the target is watched here",
    )


def test_a_short_ticket_is_about_the_other_side_of_the_book() -> None:
    story = Story(FUTURES)
    shows(story, BTC, "60000", "3", "60000.1", "7")
    told = ticket(story, side=Side.SELL, size=i.Base(D(4)), target=i.Away(D("0.02")))
    assert told.title == "SELL BTC/USD"
    assert lines(told) == {
        "size": ("", "4 = 240,000.00 USD", "plain"),
        "fills now": ("", "3 displayed at 60,000", "plain"),
        "worst price": ("", "59,700", "plain"),
        "entry fee": ("", "120.00 USD, taker 0.05%, assumed", "plain"),
        "exit fee": ("", "121.20 USD, taker 0.05%, assumed", "plain"),  # of 242400
        "margin at 50×": ("1,000,000.00", "995,200.00 when 4,800.00 are bound", "plain"),
        "liquidation": ("", "306,930.7, 411.6% away", "plain"),  # (240000 + 1000000) / (4 * 1.01)
        # 60000 * 0.9995 / 1.0005 = 59940.02..., down to the tick
        "break-even": ("", "59,940", "plain"),
        # 4 * 600, and both fees
        "risk (1R)": ("", "2,641.20 USD at 60,600 = 0.26% of equity", "bad"),
        "spread": ("", "0.40 USD, 0.000%", "plain"),
        "at stops": ("0.00 of 100,000,000.00", "−2,641.20 of 100,000,000.00", "plain"),
        # 4 * 1200, less 120.00 and 117.60
        "reward": ("", "4,562.40 USD at 58,800 = 1.73R", "good"),
    }
    assert told.warnings == (
        "only 3 is displayed at the best price; the rest fills worse or not at all",
    )


def test_an_entry_that_rests_fills_nothing_now() -> None:
    told = ticket(Story(), type=LIMIT, price=D(59_000), size=i.Base(D(12)))
    seen = lines(told)
    assert seen["fills now"] == ("", "nothing; it rests", "plain")
    assert seen["worst price"] == ("", "59,000", "plain")
    assert seen["entry fee"] == ("", "1,770.00 USD, maker 0.25%, assumed", "plain")  # of 708000
    assert told.warnings == (), "what is displayed does not matter to it"


@pytest.mark.hazard("H95")
def test_a_ticket_without_a_stop_has_an_unbounded_risk() -> None:
    told = ticket(Story(), stop=None, target=i.Away(D("0.02")))
    assert lines(told)["risk (1R)"] == (
        "",
        "UNBOUNDED without a stop; limits count 30,000.05 USD",
        "bad",
    )
    assert lines(told)["at stops"] == (
        "0.00 of 100,000,000.00",
        "UNBOUNDED of 100,000,000.00",
        "bad",
    )
    assert lines(told)["reward"] == ("", "357.65 USD at 61,200.2", "good"), "and no R"
    assert told.warnings[0] == "no stop: the position will be NAKED"


def test_a_trail_is_a_stop() -> None:
    assert ticket(Story(), stop=None, trail=Trail(amount=D(300))).warnings == ()
    assert ticket(Story(), trail=Trail(amount=D(300))).warnings == ()


@pytest.mark.parametrize(("size", "warned"), [("7", False), ("7.00000001", True)])
def test_what_is_displayed_is_enough_to_the_last_lot(size: str, warned: bool) -> None:
    story = Story()
    shows(story, BTC, "60000", "3", "60000.1", "7")
    expected = (
        ("only 7 is displayed at the best price; the rest fills worse or not at all",)
        if warned
        else ()
    )
    assert ticket(story, size=i.Base(D(size))).warnings == expected


@pytest.mark.parametrize(
    ("profile", "symbol", "size", "smallest"),
    [
        # a minimum of 0.002; the least cost of 0.5 USD is far below it
        ("kraken-spot", ETH, "0.00399999", "0.002"),
        ("kraken-spot", ETH, "0.004", ""),
        # a least cost of 5 USD: 0.00008 at 60000.1 is 4.80 USD, one lot more is enough
        ("binance-spot", BTC, "0.00017", "0.00009"),
        ("binance-spot", BTC, "0.00018", ""),
    ],
)
def test_an_entry_that_a_partial_fill_could_strand(
    profile: str, symbol: str, size: str, smallest: str
) -> None:
    expected = (
        (f"a partial fill below {smallest} could be neither protected nor closed",)
        if smallest
        else ()
    )
    assert ticket(Story(profile), symbol=symbol, size=i.Base(D(size))).warnings == expected


@pytest.mark.parametrize(
    ("changes", "watched"),
    [
        ({}, False),
        ({"rest_together": False}, True),
        ({"reduce_only": False}, True),
        ({"derivatives": False}, True),
    ],
)
def test_where_a_target_rests_beside_its_stop_nothing_is_said_about_it(
    changes: dict[str, bool], watched: bool
) -> None:
    story = Story(replace(load_profile(FUTURES), **changes))
    expected = (
        ("the venue can't rest stop and target together: the target is watched here",)
        if watched
        else ()
    )
    assert ticket(story, target=i.Away(D("0.02"))).warnings == expected


def test_a_risk_without_a_rate_is_no_share_of_the_equity() -> None:
    story = Story(FUTURES, listed=(euro(),))
    story.price("ETH/EUR", "3000", "3000")
    story.wait(1)
    told = ticket(story, symbol="ETH/EUR", size=i.Base(D(10)))
    # and 15 and 14.85 of fees
    assert lines(told)["risk (1R)"] == ("", "329.85 EUR at 2,970", "bad")
    assert "loss limit left" not in lines(told)
    assert [refusal.code for refusal in told.refusals] == ["NO_RATE"]


def test_of_no_equity_nothing_is_a_share() -> None:
    told = ticket(Story(cash="0"))
    assert lines(told)["risk (1R)"] == ("", "538.80 USD at 59,400.1", "bad")
    assert "INSUFFICIENT_FUNDS" in {refusal.code for refusal in told.refusals}


def test_a_stop_on_its_entry_has_no_reward_to_speak_of() -> None:
    told = ticket(Story(), stop=i.At(D("60000.1")), target=i.Away(D("0.02")))
    assert lines(told)["risk (1R)"] == ("", "240.00 USD at 60,000.1 = 0.02% of equity", "bad"), (
        "the fees"
    )
    assert lines(told)["reward"] == ("", "357.65 USD at 61,200.2 = 1.49R", "good")
    assert "STOP_WRONG_SIDE" in {refusal.code for refusal in told.refusals}


# The day's budget


@pytest.mark.parametrize(
    ("bound", "left", "after", "tone"),
    [
        ("0.05", "50,000.00", "49,461.20 after this loss", "plain"),
        ("0.00053981", "539.81", "1.01 after this loss", "plain"),
        ("0.0005388004", "538.80", "0.00 after this loss", "bad"),
        ("0.0002", "200.00", "0.00 after this loss", "bad"),
    ],
)
def test_what_the_day_may_lose_before_and_after_this_loss(
    bound: str, left: str, after: str, tone: str
) -> None:
    story = Story(rules=Rules(risk=RiskRules(daily_loss=D(bound))))
    assert "loss limit left" not in lines(ticket(story)), "the day has no equity yet"
    story.wait(1)
    assert lines(ticket(story))["loss limit left"] == (left, after, tone)


def test_what_the_day_has_lost_already_is_taken_off_its_budget() -> None:
    story = Story(FUTURES)
    story.wait(1)
    story.opened("1", stop=None)
    story.price(BTC, "59000")
    told = ticket(story, symbol=ETH, size=i.Base(D(10)))
    # of 999000
    assert lines(told)["risk (1R)"] == ("", "329.85 USD at 2,970.1 = 0.03% of equity", "bad")
    assert lines(told)["loss limit left"] == ("49,000.00", "48,670.15 after this loss", "plain")


def test_a_day_without_a_bound_has_no_budget() -> None:
    story = Story(rules=Rules(risk=RiskRules(daily_loss=None)))
    story.wait(1)
    assert "loss limit left" not in lines(ticket(story))


# Moving a stop: five bitcoin bought at 60000 for no fee, stop at 59400: one R is 3000 and the fee
# of 148.50 there


def moved(story: Story, stop: str | None) -> Preview:
    """The preview of a stop at another price."""
    place = None if stop is None else i.At(D(stop))
    return previewed(story, i.MoveStop(id="m", position=story.position().id, stop=place))


def held() -> Story:
    story = Story(FUTURES, strict=True)
    story.opened("5")
    return story


def test_a_tighter_stop_risks_less() -> None:
    told = moved(held(), "59700")
    assert (told.title, told.looser, told.refusals, told.suggestion) == (
        "Stop of BTC/USD",
        False,
        (),
        None,
    )
    assert lines(told) == {
        "stop": ("59,400", "59,700", "plain"),
        "distance": ("-1.00%", "-0.50%", "plain"),
        "at stop": ("▼3,148.50 USD", "▼1,649.25 USD", "plain"),  # 0.05 % of 298500
        "in R": ("-1.00R", "-0.52R", "plain"),
        "of equity": ("-0.31%", "-0.16%", "plain"),
        "at stops": ("−3,148.50 of 250,000.00", "−1,649.25 of 250,000.00", "plain"),
        "venue": ("", "amends the resting order", "plain"),
    }


def test_a_wider_stop_risks_more_and_is_called_looser() -> None:
    told = moved(held(), "58800")
    assert told.looser
    assert [refusal.code for refusal in told.refusals] == ["STOP_LOOSER"], "as it is answered"
    assert lines(told)["at stop"] == ("▼3,148.50 USD", "▼6,147.00 USD", "plain")
    assert lines(told)["in R"] == ("-1.00R", "-1.95R", "plain")
    assert lines(told)["at stops"] == (
        "−3,148.50 of 250,000.00",
        "−6,147.00 of 250,000.00",
        "plain",
    )


def test_a_stop_beyond_the_entry_risks_nothing() -> None:
    story = held()
    story.price(BTC, "62000")
    assert lines(moved(story, "61000")) == {
        "stop": ("59,400", "61,000", "plain"),
        "distance": ("-4.19%", "-1.61%", "plain"),  # 2600 and 1000 of 62000
        "at stop": ("▼3,148.50 USD", "▲4,847.50 USD", "plain"),
        "in R": ("-1.00R", "+1.54R", "plain"),
        "of equity": ("-0.31%", "+0.48%", "plain"),  # of 1010000
        "at stops": ("−3,148.50 of 252,500.00", "0.00 of 252,500.00", "plain"),
        "venue": ("", "amends the resting order", "plain"),
    }


def test_a_stop_that_comes_back_from_beyond_the_entry_risks_all_of_it_again() -> None:
    story = held()
    story.price(BTC, "62000")
    assert story.ask(i.MoveStop(id="n", position=story.position().id, stop=i.At(D(61_000)))).ok
    assert lines(moved(story, "59400"))["at stops"][0] == "−3,148.50 of 252,500.00", (
        "until the venue has moved it"
    )
    story.amended(story.order("stop"))
    assert lines(moved(story, "59400"))["at stops"] == (
        "0.00 of 252,500.00",
        "−3,148.50 of 252,500.00",
        "plain",
    )


def test_a_stop_for_a_short_stands_above() -> None:
    story = Story(FUTURES, strict=True)
    story.price(BTC, "59999.9", "60000")
    story.opened("5", side=Side.SELL)
    told = moved(story, "60300")
    assert not told.looser
    assert lines(told)["distance"] == ("+1.00%", "+0.50%", "plain")
    assert lines(told)["at stop"] == ("▼3,151.50 USD", "▼1,650.75 USD", "plain")
    assert lines(told)["at stops"] == (
        "−3,151.50 of 250,000.00",
        "−1,650.75 of 250,000.00",
        "plain",
    )


def test_what_other_positions_risk_stays_as_it_is() -> None:
    story = held()
    position = story.position().id
    story.opened("10", symbol=ETH, price="3000")  # its stop at 2970 loses 300, and a fee of 14.85
    told = previewed(story, i.MoveStop(id="m", position=position, stop=i.At(D(59_700))))
    assert lines(told)["at stops"] == (
        "−3,463.35 of 250,000.00",
        "−1,964.10 of 250,000.00",
        "plain",
    )


def test_no_stop_is_unbounded() -> None:
    told = moved(held(), None)
    assert told.looser
    assert told.warnings == ("nothing bounds the loss of BTC/USD, and it blocks entries",)
    assert lines(told) == {
        "stop": ("59,400", "none", "plain"),
        "distance": ("-1.00%", "—", "plain"),
        "at stop": ("▼3,148.50 USD", "UNBOUNDED", "plain"),
        "in R": ("-1.00R", "—", "plain"),
        "of equity": ("-0.31%", "—", "plain"),
        "at stops": ("−3,148.50 of 250,000.00", "UNBOUNDED of 250,000.00", "bad"),
        "venue": ("", "cancels the resting order", "plain"),
    }


def test_the_first_stop_of_a_position_is_placed_and_has_no_r_yet() -> None:
    story = Story(FUTURES)
    story.opened("5", stop=None)
    told = moved(story, "59400")
    assert not told.looser
    assert lines(told) == {
        "stop": ("none", "59,400", "plain"),
        "distance": ("—", "-1.00%", "plain"),
        "at stop": ("UNBOUNDED", "▼3,148.50 USD", "plain"),
        "in R": ("—", "—", "plain"),
        "of equity": ("—", "-0.31%", "plain"),
        "at stops": ("UNBOUNDED of 100,000,000.00", "−3,148.50 of 100,000,000.00", "plain"),
        "venue": ("", "places a new order", "plain"),
    }


def test_of_an_equity_of_zero_there_is_no_share() -> None:
    story = Story(FUTURES, cash="31000")
    story.opened("1", stop=None)
    story.price(BTC, "29000")  # 31000 lost of 31000
    assert lines(moved(story, "28000"))["of equity"] == ("—", "—", "plain")
    assert lines(moved(story, "28000"))["at stops"] == (
        "UNBOUNDED of 0.00",
        "−32,014.00 of 0.00",
        "plain",
    )


def test_without_a_rate_a_risk_is_told_in_its_own_currency_only() -> None:
    story = adopted(euro(), "10", "3000")  # at the ask of 3000.1
    told = moved(story, "2970.1")
    assert lines(told)["at stop"] == ("UNBOUNDED", "▼314.85 EUR", "plain")
    assert lines(told)["of equity"] == ("—", "—", "plain")
    assert lines(told)["at stops"] == ("UNBOUNDED of 100,000,000.00", "no rate", "bad")


def test_without_a_price_there_is_no_distance() -> None:
    story = held()
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    told = moved(story, "59700")
    assert [refusal.code for refusal in told.refusals] == ["NO_PRICE"]
    assert lines(told)["distance"] == ("—", "—", "plain")
    assert lines(told)["at stop"] == ("▼3,148.50 USD", "▼1,649.25 USD", "plain")


def test_a_price_off_the_tick_is_answered_with_the_nearest_that_is_not_further() -> None:
    told = moved(held(), "59700.02")
    assert (told.suggestion, [refusal.code for refusal in told.refusals]) == (
        D("59700.1"),
        ["STOP_OFF_TICK"],
    )
    away = previewed(held(), i.MoveStop(id="m", position="", stop=i.Away(D("0.005"))))
    assert [refusal.code for refusal in away.refusals] == ["UNKNOWN_POSITION"]
    story = held()
    away = previewed(
        story, i.MoveStop(id="m", position=story.position().id, stop=i.Away(D("0.005001")))
    )
    assert (away.suggestion, away.refusals) == (None, ()), "a distance is on no grid"
    assert lines(away)["stop"] == ("59,400", "59,700", "plain")  # 59699.94, up to the tick


def test_what_is_no_number_is_refused_and_suggests_nothing() -> None:
    told = moved(held(), "NaN")
    assert (told.suggestion, [refusal.code for refusal in told.refusals]) == (
        None,
        ["NOT_A_NUMBER"],
    )


def test_nobodys_stop_is_not_previewed() -> None:
    for intent, title in (
        (i.MoveStop(id="m", position="none", stop=None), "Move stop"),
        (i.BreakEven(id="m", position="none"), "Break-even"),
        (i.ClosePosition(id="m", position="none"), "Close"),
        (i.Reverse(id="m", position="none"), "Reverse"),
    ):
        told = previewed(held(), intent)
        assert (told.title, told.lines) == (title, ())
        assert [(refusal.code, refusal.value) for refusal in told.refusals] == [
            ("UNKNOWN_POSITION", "none")
        ]


def test_break_even_is_a_stop_that_pays_both_fees() -> None:
    story = held()
    story.price(BTC, "60500")
    told = previewed(story, i.BreakEven(id="b", position=story.position().id))
    assert (told.title, told.refusals) == ("Stop of BTC/USD", ())
    # 60000 / 0.9995 = 60030.02, up to the tick: the entry was free
    assert lines(told)["stop"] == ("59,400", "60,030.1", "plain")
    assert lines(told)["at stop"] == ("▼3,148.50 USD", "▲0.42 USD", "plain")


# Closing: half a bitcoin bought at 60000


def closing(story: Story, part: str = "1") -> Preview:
    return previewed(story, i.ClosePosition(id="c", position=story.position().id, part=D(part)))


def test_every_line_of_a_close() -> None:
    story = Story()
    story.opened()
    told = closing(story)
    assert (told.title, told.refusals) == ("Close 0.5 BTC/USD", ())
    assert lines(told) == {
        "proceeds": ("", "30,000.00 USD at 60,000", "plain"),
        "size at the best price": ("", "10", "plain"),
        "limit of the first order": ("", "59,400", "plain"),  # one per cent
        "size": ("0.5", "0", "plain"),
        "fee": ("", "120.00 USD, taker 0.40%, assumed", "plain"),  # the first tier's
        # 300, and 118.80 of fees
        "at stops": ("−418.80 of 100,000,000.00", "0.00 of 100,000,000.00", "plain"),
        "result": ("", "▼120.00 USD", "bad"),
        "net": ("", "▼120.00 USD = -0.29R", "bad"),  # of 300, and 118.80 at the stop
    }


def test_a_part_has_its_part_of_the_profit() -> None:
    story = Story()
    story.opened()
    story.price(BTC, "62000")
    told = closing(story, "0.5")
    assert told.title == "Close 0.25 BTC/USD"
    assert lines(told) == {
        "proceeds": ("", "15,500.00 USD at 62,000", "plain"),
        "size at the best price": ("", "10", "plain"),
        "limit of the first order": ("", "61,380", "plain"),
        "size": ("0.5", "0.25", "plain"),
        "fee": ("", "62.00 USD, taker 0.40%, assumed", "plain"),
        # half of it has brought 438, and the other half loses 150 and 59.40
        "at stops": ("−418.80 of 100,100,000.00", "0.00 of 100,100,000.00", "plain"),
        "result": ("", "▲438.00 USD", "good"),  # half of 1000, less the fee
    }


def test_a_short_is_closed_at_the_ask() -> None:
    story = Story(FUTURES)
    story.opened("4", side=Side.SELL)
    shows(story, BTC, "57999", "9", "58000.1", "3")
    assert lines(closing(story)) == {
        "proceeds": ("", "232,000.40 USD at 58,000.1", "plain"),
        "size at the best price": ("", "3", "bad"),
        "limit of the first order": ("", "58,580.1", "plain"),  # 58580.101, down to the tick
        "size": ("4", "0", "plain"),
        "fee": ("", "116.00 USD, taker 0.05%, assumed", "plain"),
        "at stops": ("−2,521.20 of 100,799,960.00", "0.00 of 100,799,960.00", "plain"),
        "result": ("", "▲7,883.60 USD", "good"),  # 4 * 1999.9 less 116.0002
        "net": ("", "▲7,883.60 USD = +3.13R", "good"),  # of 2400, and 121.20 at the stop
    }


@pytest.mark.parametrize(("size", "tone"), [("0.5", "plain"), ("0.4999", "bad")])
def test_what_is_displayed_covers_a_close_or_does_not(size: str, tone: str) -> None:
    story = Story()
    story.opened()
    shows(story, BTC, "60000", size, "60000.1", "10")
    assert lines(closing(story))["size at the best price"] == ("", size, tone)


@pytest.mark.parametrize(
    ("bid", "result"),
    [
        ("60000", ("", "▲0.00 USD", "good")),  # 15 less 0.05 % of 30000
        ("59999", ("", "▼0.50 USD", "bad")),  # 14.5 less 14.99975
        ("60001", ("", "▲0.50 USD", "good")),  # 15.5 less 15.00025
    ],
)
def test_a_close_that_just_pays_for_itself_is_no_loss(
    bid: str, result: tuple[str, str, str]
) -> None:
    story = Story(FUTURES)
    story.opened("0.5", price="59970")
    story.price(BTC, bid)
    assert lines(closing(story))["result"] == result


def test_a_part_below_the_minimum_is_refused_with_both_figures() -> None:
    story = Story()
    story.opened("0.001")
    (refusal,) = closing(story, "0.04").refusals
    assert (refusal.code, refusal.value, refusal.bound) == (
        "PART_TOO_SMALL",
        "0.00004",
        "0.00005 or 0.5 USD",
    )
    assert closing(story, "0.05").refusals == ()


# Reversing


def test_a_reversal_is_a_close_and_then_the_other_side() -> None:
    story = Story(FUTURES)
    story.opened()
    told = previewed(story, i.Reverse(id="r", position=story.position().id))
    assert (told.title, told.refusals) == ("Reverse BTC/USD", ())
    assert lines(told)["result"] == ("", "▼15.00 USD", "bad")
    assert lines(told)["then"] == ("", "sell 0.5 BTC/USD", "plain")
    assert lines(told)["new stop"] == ("59,400", "60,600", "plain")
    # 300, 15 and 15.15 of fees
    assert lines(told)["new risk (1R)"] == ("", "330.15 USD", "bad")
    assert lines(told)["at stops"] == (
        "−314.85 of 100,000,000.00",
        "−330.15 of 100,000,000.00",
        "plain",
    )
    assert [line.section for line in told.lines][-1] == "at stops"


def test_a_short_is_reversed_by_buying() -> None:
    story = Story()
    story.opened(side=Side.SELL)
    told = previewed(story, i.Reverse(id="r", position=story.position().id))
    assert told.refusals == ()
    assert lines(told)["then"] == ("", "buy 0.5 BTC/USD", "plain")


def test_what_can_not_be_short_is_not_reversed() -> None:
    story = Story("binance-spot")
    story.opened()
    told = previewed(story, i.Reverse(id="r", position=story.position().id))
    assert [(refusal.code, refusal.value) for refusal in told.refusals] == [("CANNOT_SHORT", BTC)]


# Flattening


def flat(story: Story) -> Told:
    told = previewed(story, i.Flatten(id="f"))
    assert told.title == "Flatten everything"
    return lines(told)


def test_nothing_to_flatten_is_said_as_such() -> None:
    assert flat(Story()) == {
        "entries": ("", "blocked until flat; 0 cancelled", "plain"),
        "orders": ("", "0 of ours cancelled; 0 of others left alone", "plain"),
        "unrealised now": ("", "▲0.00 USD", "good"),
        "last step": ("", "ask the venue until it says flat", "plain"),
        "at stops": ("0.00 of 100,000,000.00", "0.00 of 100,000,000.00", "plain"),
    }


def test_a_flatten_names_what_it_closes_and_counts_what_it_cancels() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.opened("2", symbol=ETH, side=Side.SELL, price="3000")
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    theirs = Order(
        "x",
        "",
        ETH,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(
        orders=(*(order for order in story.state.orders.values() if order.is_working), theirs)
    )
    story.price(BTC, "61000")
    story.price(ETH, "3099.9", "3100")
    assert flat(story) == {
        "close BTC/USD": ("0.5", "▲484.75 USD = +1.54R", "plain"),  # 500 less 0.05 % of 30500
        "close ETH/USD": ("-2", "▼203.10 USD = -3.22R", "plain"),  # 200 lost and 0.05 % of 6200
        # it holds nothing: there is nothing of it to close
        "entries": ("", "blocked until flat; 1 cancelled", "plain"),
        "orders": ("", "3 of ours cancelled; 1 of others left alone", "plain"),
        "unrealised now": ("", "▲300.00 USD", "good"),
        "last step": ("", "ask the venue until it says flat", "plain"),
        # 314.85 and 63.03 of what is held, 63.10 of what waits at 59000
        "at stops": ("−440.98 of 100,030,000.00", "0.00 of 100,030,000.00", "plain"),
    }


@pytest.mark.parametrize(
    ("bid", "said"), [("59999", ("", "▼0.50 USD", "bad")), ("60001", ("", "▲0.50 USD", "good"))]
)
def test_the_least_loss_is_a_loss(bid: str, said: tuple[str, str, str]) -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.price(BTC, bid)
    assert flat(story)["unrealised now"] == said


def test_dust_is_not_what_a_flatten_closes() -> None:
    story = Story()
    story.cheapened()
    assert "close BTC/USD" not in flat(story)


def test_without_a_price_a_flatten_goes_to_market() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.opened("2", symbol=ETH, price="3000")
    story.price(ETH, "3100")
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    seen = flat(story)
    assert seen["close BTC/USD"] == ("0.5", "unknown: it goes to market", "plain")
    assert seen["unrealised now"] == ("", "▲200.00 USD", "good")


def test_without_a_rate_a_profit_is_not_in_the_sum() -> None:
    seen = flat(adopted(euro(), "10", "3000"))
    assert seen["close ETH/EUR"] == ("10", "▼16.00 EUR", "plain")  # 10 * 0.1 and 0.05 % of 30000
    assert seen["unrealised now"] == ("", "▲0.00 USD", "good")


# The rest: each with what it changes, and what all stops would cost


def test_a_pause_turns_entries_off() -> None:
    story = Story()
    told = previewed(story, i.Pause(id="p"))
    assert lines(told)["entries"] == ("ON", "OFF: paused by the operator", "bad")
    assert lines(told)["ends"] == ("", "with :resume", "plain")
    assert story.ask(i.Pause(id="p")).ok
    told = previewed(story, i.Resume(id="r"))
    assert lines(told)["entries"] == ("OFF: paused by the operator", "ON", "good")
    assert previewed(story, i.Resume(id="r", reason="x")).refusals[0].code == "NOTHING_TO_DO"


def test_a_halt_unbinds_what_is_only_watched_here() -> None:
    story = Story(FUTURES)
    story.opened("5")
    assert lines(previewed(story, i.Halt(id="h")))["at stops"] == (
        "−3,148.50 of 100,000,000.00",
        "−3,148.50 of 100,000,000.00",
        "plain",
    ), "the venue's stop stays"
    bare = Story(FUTURES)
    assert bare.buy("5").ok
    bare.fill(bare.order("entry"))
    assert bare.position().protection.value == "guarded", "its stop is on its way"
    told = previewed(bare, i.Halt(id="h"))
    assert lines(told)["at stops"][1].startswith("UNBOUNDED")
    assert told.warnings == ("the stop of BTC/USD is LOCAL: nobody acts on it then",)


def test_a_target_that_moves_brings_another_net() -> None:
    story = Story(FUTURES)
    position = story.opened("5", target=i.Away(D("0.02")))
    told = previewed(story, i.MoveTarget(id="m", position=position.id, target=i.At(D(61_000))))
    assert lines(told)["target"] == ("61,200", "61,000", "plain")
    assert lines(told)["where"] == ("VENUE", "VENUE", "plain")
    # it rests, so the maker's 0.02 % of 306000 and 305000
    assert lines(told)["at target"] == ("▲5,938.80 USD", "▲4,939.00 USD", "plain")
    assert lines(told)["at stops"][0] == lines(told)["at stops"][1]
    spot = Story()
    held_ = spot.opened()
    told = previewed(spot, i.MoveTarget(id="m", position=held_.id, target=i.At(D(61_000))))
    assert lines(told)["where"] == ("—", "LOCAL", "plain")
    assert told.warnings == ("the target is LOCAL: it is watched here and ends with this process",)
    gone = previewed(spot, i.MoveTarget(id="m", position=held_.id, target=None))
    assert (lines(gone)["target"], gone.warnings) == (("none", "none", "plain"), ())


def test_a_trail_that_follows_at_once_moves_the_stop() -> None:
    story = held()
    name = story.position().id
    told = previewed(story, i.SetTrail(id="t", position=name, trail=Trail(amount=D(300))))
    assert lines(told)["trail"] == ("off", "300", "plain")
    assert lines(told)["stop"] == ("59,400", "59,700", "plain")
    assert told.warnings == ("the trail is LOCAL: it ends with this process",)
    later = Trail(fraction=D("0.004"), after=D("0.01"))
    told = previewed(story, i.SetTrail(id="t", position=name, trail=later))
    assert lines(told)["trail"] == ("off", "0.4% after 1.00%", "plain")
    assert lines(told)["stop"] == ("59,400", "59,400", "plain")
    assert lines(told)["venue"] == ("", "nothing", "plain")


def test_an_entry_that_is_amended_or_cancelled_risks_another_amount() -> None:
    story = Story(FUTURES)
    assert story.buy("1", type=LIMIT, price=D(59_000)).ok
    order = story.order("entry")
    story.accept(order)
    name = order.client_order_id
    told = previewed(story, i.AmendOrder(id="a", order=name, price=D(59_500)))
    assert told.title == "Amend buy BTC/USD"
    assert lines(told)["price"] == ("59,000", "59,500", "plain")
    assert lines(told)["notional"] == ("59,000.00 USD", "59,500.00 USD", "plain")
    # 590, and 11.80 and 29.205 of fees; 595, 11.90, 29.4525
    assert lines(told)["at its stop"] == ("−631.00 USD", "−636.35 USD", "plain")
    off = previewed(story, i.AmendOrder(id="a", order=name, price=D("59500.02")))
    assert (off.suggestion, off.refusals[0].code) == (D("59500.0"), "NOT_A_NUMBER")
    told = previewed(story, i.CancelOrder(id="c", order=name))
    assert lines(told)["order"] == ("buy 1 BTC/USD at 59,000", "cancelled", "plain")
    assert lines(told)["at stops"][1] == "0.00 of 100,000,000.00"
    assert told.warnings == ("it may fill before the cancel arrives",)
    told = previewed(story, i.CancelAll(id="c"))
    assert lines(told)["order 1"] == ("buy 1 BTC/USD at 59,000", "cancelled", "plain")
    assert lines(told)["at stops"][1] == "0.00 of 100,000,000.00"


def test_a_stop_that_is_cancelled_by_its_order_is_a_stop_that_goes() -> None:
    story = held()
    name = story.order("stop").client_order_id
    told = previewed(story, i.CancelOrder(id="c", order=name))
    assert (told.title, told.looser) == ("Cancel stop BTC/USD", True)
    assert lines(told)["at stop"] == ("▼3,148.50 USD", "UNBOUNDED", "plain")
    moved_ = previewed(story, i.AmendOrder(id="a", order=name, price=D(59_700)))
    assert lines(moved_)["stop"] == ("59,400", "59,700", "plain")


def test_a_reversal_that_can_not_open_the_other_side_says_so() -> None:
    story = Story("kraken-spot", strict=True)
    story.opened(stop=None, trail=Trail(amount=D(300)))
    position = story.position()
    story.ask(i.SetTrail(id="t", position=position.id, trail=None))
    told = previewed(story, i.Reverse(id="r", position=position.id))
    assert told.refusals == ()
    assert "new stop" in lines(told), "its first stop is mirrored"
    other = Story(FUTURES)
    other.opened("1")
    other.opened("2")
    first = next(iter(other.state.positions))
    told = previewed(other, i.Reverse(id="r", position=first))
    assert told.warnings[0].startswith("the other side will not open: ")
    assert "new stop" not in lines(told)


def test_a_note_an_alert_and_what_is_withdrawn() -> None:
    story = Story()
    position = story.opened()
    told = previewed(story, i.Annotate(id="n", position=position.id, note="late", tags=("a", "b")))
    assert lines(told) == {"note": ("none", "late", "plain"), "tags": ("none", "a b", "plain")}
    told = previewed(story, i.Withdraw(id="w", asked="never"))
    assert lines(told) == {"never": ("not answered yet", "refused from now on", "plain")}
    assert previewed(story, i.Acknowledge(id="a", alert="none")).refusals[0].code == "UNKNOWN_ALERT"
    told = previewed(story, i.Reconcile(id="r"))
    assert lines(told)["compared last"][1] == "now"


def test_an_intent_that_was_answered_or_is_late_is_previewed_so() -> None:
    story = Story()
    assert not story.ask(i.ClosePosition(id="x", position="none")).ok
    told = previewed(story, i.ClosePosition(id="x", position="none"))
    assert told.refusals == story.state.answers["x"].refusals
    late = preview(story.ctx, i.Pause(id="p", not_after=story.now), SECOND)
    assert [refusal.code for refusal in late.refusals] == ["EXPIRED"]
