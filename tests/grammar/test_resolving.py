"""From a line to intents, against the view of the sample session: BTC long 0.5 (stop 60,796), ETH
short 1 (stop 3,491.8), SOL long 1.5 without a stop; orders #12 to #16.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.parser import parse, read_macros
from engine.grammar.resolve import Confirm, Step, confirmation, plan
from engine.grammar.wrong import Wrong
from engine.model import intent as i
from engine.model.order import OrderType, Trail
from engine.model.position import LimitExit
from engine.model.price_alert import PriceAlert
from engine.model.side import Side
from tests.console.sample import SampleSession, position
from tests.grammar.examples import MACROS, NEEDS_A_MARKET, POINTED, UNDERSTOOD, pointer

D = Decimal
AROUND = Around(
    view=SampleSession().view(),
    focus="BTC/USD",
    presets=("0.1", "0.25", "risk 0.5%"),
    macros=read_macros(MACROS)[0],
    filled=lambda intent, name: replace(intent, label=name),
)


def planned(text: str, around: Around = AROUND) -> tuple[Step, ...] | Wrong:
    parsed = parse(text, around.vocabulary)
    assert parsed.line is not None, parsed.wrong
    return plan(parsed.line, around, "k")


def steps(text: str, around: Around = AROUND) -> tuple[Step, ...]:
    found = planned(text, around)
    assert not isinstance(found, Wrong), found
    return found


def intents(text: str, around: Around = AROUND) -> list[i.AnyIntent]:
    return [intent for step in steps(text, around) for intent in step.intents]


def one(text: str, around: Around = AROUND) -> Any:
    [found] = intents(text, around)
    return found


def refused(text: str, around: Around = AROUND) -> str:
    found = planned(text, around)
    assert isinstance(found, Wrong), found
    assert 0 <= found.span.start <= found.span.end <= len(text)
    return found.text


@pytest.mark.parametrize("index", NEEDS_A_MARKET)
def test_what_only_a_price_can_tell_points_at_its_place(index: int) -> None:
    text, points, says, _ = POINTED[index]
    found = planned(text)
    assert isinstance(found, Wrong)
    assert (pointer(found.span.start, found.span.end), found.text) == (points, says)


def test_a_market_entry() -> None:
    assert one("buy 0.5") == i.OpenBracket(
        id="k.1", symbol="BTC/USD", side=Side.BUY, size=i.Base(D("0.5"))
    )
    assert confirmation(steps("buy 0.5")) is Confirm.CARD


def test_an_entry_with_all_its_words() -> None:
    found = one(
        "sell eth 2 at ask-2t stop 3,492 target 1r half, 3r rest trail 0.6% after 1r expire 20m"
        ' post lev 2 tag a tag b note "so it is"'
    )
    assert found.type is OrderType.LIMIT
    assert found.anchored == i.Anchored(i.Anchor.ASK, ticks=D(-2))
    assert found.stop == i.At(D(3492))
    assert found.partials == (i.PartialTarget(i.InR(D(1)), D("0.5")),)
    assert found.target == i.InR(D(3))
    assert found.trail == Trail(fraction=D("0.006"), begins=i.InR(D(1)))
    assert found.expires_in == 20 * 60 * 10**9
    assert (found.post_only, found.leverage, found.tags, found.note) == (
        True,
        D(2),
        ("a", "b"),
        "so it is",
    )


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ("62,000", "62000"),
        ("mark", "62063.3"),
        ("mark-1t", "62063.2"),
        ("mark-1%", "61442.6"),
        ("last", "62060"),
        ("cursor-1t", "62049.9"),
    ],
)
def test_prices_by_the_market(said: str, price: str) -> None:
    around = replace(AROUND, last={"BTC/USD": D(62_060)}, cursor={"BTC/USD": D(62_050)})
    assert one(f"buy 0.1 at {said} stop 1%", around).price == D(price)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("bid", i.Anchored(i.Anchor.BID)),
        ("ask-2t", i.Anchored(i.Anchor.ASK, ticks=D(-2))),
        ("mid+0.5%", i.Anchored(i.Anchor.MID, fraction=D("0.005"))),
    ],
)
def test_prices_that_the_desk_tells_when_it_decides(said: str, told: i.Anchored) -> None:
    found = one(f"buy 0.1 at {said} stop 1%")
    assert (found.type, found.price, found.anchored) == (OrderType.LIMIT, None, told)
    found = one(f"buy 0.1 when {said} stop 1%")
    assert (found.type, found.trigger, found.anchored) == (OrderType.STOP, None, told)


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("0.5", i.Base(D("0.5"))),
        ("5k$", i.Notional(D(5000))),
        ("risk 1%", i.EquityRisk(D("0.01"))),
        ("risk 300$", i.Risk(D(300))),
        ("risk 0.5u", i.RiskUnits(D("0.5"))),
        ("notional 5%", i.EquityShare(D("0.05"))),
        ("preset 2", i.Base(D("0.25"))),
        ("preset 3", i.EquityRisk(D("0.005"))),
    ],
)
def test_sizes(said: str, size: i.Size) -> None:
    assert one(f"buy {said} stop 1%").size == size


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("last", "no trade of it is known yet"),
        ("cursor", "no cursor stands on a price of it"),
        ("be", "a break-even is that of an open position"),
        ("entry", "nothing is entered yet"),
        ("@none", "@none is not set"),
    ],
)
def test_a_price_that_is_not_known_is_no_price(said: str, says: str) -> None:
    assert says in refused(f"buy 0.1 at {said}")


def test_cursor_and_last_are_those_of_the_symbol() -> None:
    around = replace(AROUND, last={"BTC/USD": D(62_060)}, cursor={"BTC/USD": D(62_050)})
    assert "no cursor stands on a price of it" in refused("buy eth 1 at cursor", around)
    assert "no trade of it is known yet" in refused("buy eth 1 at last", around)
    assert one("stop btc cursor", around).stop == i.At(D(62_050))


def test_an_entry_skips_its_card_only_for_the_symbol_that_the_ladder_is_armed_for() -> None:
    armed = replace(AROUND, armed="BTC/USD")
    assert confirmation(steps("buy 0.1 stop -1% !", armed)) is Confirm.ENTER
    assert confirmation(steps("buy 0.1 stop -1%", armed)) is Confirm.CARD
    assert confirmation(steps("buy 0.1 stop -1% !; reverse", armed)) is Confirm.CARD
    assert "armed for ETH/USD" in refused("buy eth 1 stop -1% !", armed)
    assert "while the ladder is armed:" in refused("buy 0.1 stop -1% !")


def test_the_symbol_that_a_part_names_is_meant_by_the_next() -> None:
    entries = intents("symbol eth; buy 1; symbol btc; buy 0.1")
    assert [getattr(entry, "symbol", "") for entry in entries] == ["ETH/USD", "BTC/USD"]


@pytest.mark.parametrize("text", ["target sol 185,190", "buy sol 1 target 185,190 rest"])
def test_two_targets_without_a_blank_are_not_one_price_a_thousand_times_too_high(
    text: str,
) -> None:
    wrong = parse(text, AROUND.vocabulary).wrong
    assert wrong is not None
    assert text[wrong.span.start : wrong.span.end] == "185,190"
    assert "targets are written “185, 190”" in wrong.text
    assert wrong.remedy == "185, 190"
    assert one("target btc 64,500").target == i.At(D(64_500))
    found = one("target sol 185 50%, 190 rest")
    assert (found.partials, found.target) == (
        (i.PartialTarget(i.At(D(185)), D("0.5")),), i.At(D(190)),
    )  # fmt: skip


def test_a_stop_entry_has_a_trigger() -> None:
    found = one("buy sol 5 when 185 stop -2%")
    assert (found.type, found.trigger, found.price) == (OrderType.STOP, D(185), None)
    assert "exclude each other" in refused("buy sol 5 when 185 at 186")
    assert "is said of a limit" in refused("buy sol 5 when 185 post")
    assert "is said of a limit" in refused("buy sol 5 ioc")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("buy 0.5 stop 62,100", "above the market"),
        ("sell eth 1 stop 3,400", "below the market of 3,421.5: a short’s stop is above"),
        ("buy 0.5 at 61,000 stop 61,500", "above the entry at 61,000"),
        ("buy 0.5 !", "only while the ladder is armed"),
        ("buy preset 9", "no size is preset 9: there are 3"),
        ("cancel #99", "no open order is called #99; open: #12, #13, #14, #15, #16"),
        ("close btc 0.7", "0.7 is more than the 0.500 that there are"),
        ("stop btc join", "join is said of a limit"),
        ("target btc 64,500, 65,000 rest", "takes all that is left: name a part"),
        ("target btc 1r 60%, 2r 60%", "more than all"),
        ("buy 0.5 expire 20m", "only what waits expires"),
        ("stop btc 60,000", "a wider stop needs a reason"),
        ("stop eth 3,600", "a wider stop needs a reason"),
    ],
)
def test_what_can_not_be_is_said_in_words(text: str, says: str) -> None:
    assert says in refused(text)


def test_a_close_may_wait_at_a_price() -> None:
    found = one("close btc 0.1 at 62,500")
    assert isinstance(found, i.LeaveAt)
    assert (found.size, found.price, found.anchored) == (D("0.1"), D(62_500), None)
    assert one("close eth 50% at be").price == D("3420.0")
    assert one("close at improve").anchored == i.Anchored(i.Anchor.IMPROVE)
    assert one("close btc at join+2t").anchored == i.Anchored(i.Anchor.JOIN, ticks=D(2))
    assert one("buy btc 0.1 at join").anchored == i.Anchored(i.Anchor.JOIN)
    leaves = replace(AROUND.view.positions[0], limits=(LimitExit("x", 91, D(62_500), D("0.1")),))
    view = replace(AROUND.view, positions=(leaves, *AROUND.view.positions[1:]))
    around = replace(AROUND, view=view)
    assert one("cancel #91", around).order == "x"
    moved = one("amend #91 at 63,000", around)
    assert (moved.order, moved.price) == ("x", D(63_000))


def test_price_alerts() -> None:
    found = one("alert btc > 62,500 take half")
    assert (found.symbol, found.price, found.rises) == ("BTC/USD", D(62_500), True)
    assert found.text == "take half"
    assert one("alert btc 60,000").rises is None
    assert one("alert eth < bid-1%").price == D("3387.19")
    waits = tuple(
        PriceAlert(f"a{number}", symbol, D(62_500), True, 1, 90 + number)
        for number, symbol in enumerate(("BTC/USD", "ETH/USD", "BTC/USD"))
    )
    around = replace(AROUND, view=replace(AROUND.view, price_alerts=waits))
    ended = [getattr(asked, "alert", "") for asked in intents("alert btc none", around)]
    assert ended == ["a0", "a2"]
    assert one("cancel #91", around).alert == "a1"
    assert [step.words for step in steps("alert btc 60000 half; alert eth none", around)] == [
        'alert BTC/USD 60000 "half"',
        "alert ETH/USD none",
    ]
    [nothing] = steps("alert sol none", around)
    assert (nothing.intents, nothing.note) == ((), "no price alert to cancel")


def test_closing() -> None:
    assert one("close eth 50%") == i.ClosePosition(id="k.1.P2", position="P2", part=D("0.5"))
    assert one("close") == i.ClosePosition(id="k.1.P1", position="P1")
    assert [found.position for found in intents("close all")] == ["P1", "P2", "P3"]  # type: ignore[union-attr]
    assert [found.id for found in intents("close longs half")] == ["k.1.P1", "k.1.P3"]
    assert one("close shorts").position == "P2"
    assert confirmation(steps("close all")) is Confirm.ENTER


def test_a_part_by_amount_is_that_amount_whatever_is_held_when_it_is_done() -> None:
    asked = one("close btc 0.1")
    assert (asked.part, asked.size) == (1, D("0.1"))
    assert "0.6 is more than the 0.500 that there are" in refused("close btc 0.6")


def test_a_share_by_amount_is_not_a_lot_too_small() -> None:
    for held in ("0.3", "0.7", "0.9"):
        p = replace(AROUND.view.positions[0], size=D(held))
        around = replace(AROUND, view=replace(AROUND.view, positions=(p,)))
        [first] = one("target btc 64,000 0.1, 65,000 rest", around).partials
        assert (D(held) * first.part).quantize(D("0.001"), "ROUND_DOWN") == D("0.100")


def test_a_price_that_was_set_is_no_size_and_a_size_like_a_price_needs_its_at() -> None:
    assert "@p is a price, and no size" in refused("set @p = bid; buy btc @p stop -1%")
    assert "looks like a price" in refused("set @lot = 62,000; buy btc @lot stop -1%")
    assert intents("set @p = 61,000; buy btc 0.1 at @p stop -1%")


def test_a_step_from_break_even_that_is_set_goes_into_the_profit_of_a_short() -> None:
    around = replace(AROUND, focus="ETH/USD")
    set_before = intents("set @p = be+3t; stop @p", around)[0]
    assert isinstance(set_before, i.MoveStop)
    assert set_before.stop == one("stop be+3t", around).stop


def test_what_is_selected_goes_before_others_of_its_symbol() -> None:
    second = position("P4", "BTC/USD", Side.BUY, "0.2", "61000", "62063.3", "60000")
    view = replace(AROUND.view, positions=(*AROUND.view.positions, second))
    around = replace(AROUND, view=view)
    assert len(intents("close btc", around)) == 2
    assert "2 positions of BTC/USD are open" in refused("stop btc 61,000", around)
    assert "name the part in %" in refused("close btc 0.1", around)
    chosen = replace(around, chosen="P4")
    assert one("stop btc 61,000", chosen).position == "P4"
    assert one("close", chosen).position == "P4"
    assert one("close eth", chosen).position == "P2"


def test_stops() -> None:
    assert one("stop btc 61,250") == i.MoveStop(id="k.1", position="P1", stop=i.At(D(61_250)))
    assert one("stop be+3t").stop == i.At(D("62150.0"))
    assert one("stop eth be+3t").stop == i.At(D("3419.97")), "into the profit of a short"
    assert one("stop -0.8%").stop == i.Away(D("0.008"))
    assert one("stop -40t").stop == i.Ticks(D(40))
    assert one("stop eth 100$").stop == i.Worth(D(100))
    assert confirmation(steps("stop eth 100$")) is Confirm.CARD, "the view can't tell"
    assert confirmation(steps("stop btc -40t")) is Confirm.ENTER
    assert confirmation(steps("stop btc 61,250")) is Confirm.ENTER
    wider = steps("stop btc 60,000 because news is out")
    assert confirmation(wider) is Confirm.CARD
    assert wider[0].intents[0].reason == "news is out"  # type: ignore[union-attr]
    none = steps('stop sol none because "hedged elsewhere"')
    assert confirmation(none) is Confirm.CARD
    assert one("be") == i.BreakEven(id="k.1", position="P1")
    assert one("be eth +2t") == i.BreakEven(id="k.1", position="P2", ticks=2)


def test_targets_and_trails() -> None:
    found = one("target btc 1r 25%, 2r 25%, 64,500 rest")
    assert [part.place for part in found.partials] == [i.InR(D(1)), i.InR(D(2))]
    assert one("target btc 1r half, 2r 50%").target == i.InR(D(2))
    assert one("trail btc 0.5% after 1r").trail == Trail(fraction=D("0.005"), begins=i.InR(D(1)))
    assert one("buy sol 1 stop -2% be after 1r").break_even == i.BreakEvenRule(i.InR(D(1)))
    found = one("target btc 64,000 25%, 64,500 rest")
    assert found.partials == (i.PartialTarget(i.At(D(64_000)), D("0.25")),)
    assert found.target == i.At(D(64_500))
    assert one("target btc none").target is None
    assert one("target btc 64,000 0.1").partials[0].part == D("0.2")
    assert one("trail btc 0.5%").trail == Trail(fraction=D("0.005"))
    assert one("trail btc 40t").trail == Trail(amount=D("4.0"))
    assert one("trail btc off").trail is None


def test_orders() -> None:
    assert one("cancel #14") == i.CancelOrder(id="k.1", order="FOAAA3ENTRY")
    assert [found.order for found in intents("cancel buys")] == ["FOAAA3ENTRY", "FOAAA4ENTRY"]  # type: ignore[union-attr]
    [none] = steps("cancel sells")
    assert (none.intents, none.note) == ((), "nothing to cancel")
    assert one("cancel all") == i.CancelAll(id="k.1")
    assert one("cancel eth") == i.CancelSymbol(id="k.1", symbol="ETH/USD")
    assert one("amend #14 at bid size 0.2") == i.AmendOrder(
        id="k.1", order="FOAAA3ENTRY", price=D("62063.3"), size=D("0.2")
    )
    assert confirmation(steps("cancel #12")) is Confirm.CARD, "#12 is a stop"
    assert confirmation(steps("cancel #14")) is Confirm.ENTER


@pytest.mark.parametrize(
    ("text", "kind", "confirm"),
    [
        ("pause", i.Pause, Confirm.ENTER),
        ("halt", i.Halt, Confirm.ENTER),
        ("unhalt", i.Resume, Confirm.TYPED),
        ("resume DRAWDOWN", i.Resume, Confirm.ENTER),
        ("live paper", i.GoLive, Confirm.TYPED),
        ("flatten", i.Flatten, Confirm.TYPED),
        ("compare", i.Reconcile, Confirm.ENTER),
        ("reverse eth", i.Reverse, Confirm.CARD),
        ("pause; reverse eth", None, Confirm.CARD),
    ],
)
def test_the_desk(text: str, kind: type | None, confirm: Confirm) -> None:
    if kind is not None:
        assert isinstance(one(text), kind)
    assert confirmation(steps(text)) is confirm


def test_variables_keep_what_they_were_set_to() -> None:
    assert one("set @lot = 0.25; buy @lot at bid").size == i.Base(D("0.25"))
    assert one("set @lot = risk 300$; buy @lot stop 1%").size == i.Risk(D(300))
    assert one("set @level = bid-10t; buy 0.1 at @level").price == D("62062.3")
    assert one("set @level = 62,000; buy 0.1 at @level").price == D(62_000)
    assert "is a size, and no price" in refused("set @lot = 5$; buy 0.1 at @lot")
    assert "@lot is not set" in refused("buy @lot")


def test_a_part_that_waits_for_what_an_earlier_one_opens_is_told() -> None:
    view = replace(AROUND.view, positions=())
    around = replace(AROUND, view=view)
    found = steps("buy btc 0.1 at bid; wait filled within 10s; trail 0.4%", around)
    assert [step.waits for step in found] == ["", "", "BTC/USD"]
    assert [len(step.intents) for step in found] == [1, 0, 0]
    assert confirmation(found) is Confirm.CARD
    assert "no position of ETH/USD is open" in refused("buy btc 0.1; trail eth 0.4%", around)
    found = steps("reverse btc; wait filled; stop btc 60,000")
    assert [step.waits for step in found] == ["", "", "BTC/USD"], "its side will be another one"
    assert "a wider stop needs a reason" in refused("reverse eth; stop btc 60,000")
    [nothing] = steps("resume")
    assert (nothing.intents, nothing.note) == ((), "nothing blocks entries")


def test_each_part_has_a_key_of_its_own() -> None:
    found = intents("pause; cancel all; close all")
    assert [one.id for one in found] == ["k.1", "k.2", "k.3.P1", "k.3.P2", "k.3.P3"]


def test_the_console_s_own_words_ask_nothing() -> None:
    around = replace(AROUND, commands=("truth",))
    [step] = steps("truth", around)
    assert isinstance(step.command, t.Run)
    assert (step.intents, step.confirm) == ((), Confirm.NOTHING)


@given(st.sampled_from(UNDERSTOOD), st.sampled_from(UNDERSTOOD))
def test_no_line_that_is_understood_raises(first: str, second: str) -> None:
    line = parse(f"{first}; {second}", AROUND.vocabulary).line
    assert line is not None
    plan(line, AROUND, "k")
    plan(line, replace(AROUND, view=replace(AROUND.view, feeds=(), positions=()), focus=""), "k")


HELD = position("P8", "BTC/USD", Side.SELL, "0.5", "62100", "62063.3", "62500")
SHORT = replace(
    AROUND,
    chosen="P8",
    view=replace(AROUND.view, positions=(replace(HELD, one_r=D(200)),)),
)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        # 1R is 200, half a bitcoin: 400 a coin; a short's profit is below
        ("stop entry-0.5r", "62300"),
        ("stop entry-1r", "62500"),
        ("target entry+2r", "61300"),
        ("stop entry-100$", "62300"),
        ("target mark+50$", "61963.3"),
    ],
)
def test_a_step_in_r_or_money_is_one_of_what_is_held(text: str, price: str) -> None:
    found = one(text, SHORT)
    place = found.stop if isinstance(found, i.MoveStop) else found.target
    assert place == i.At(D(price))


def test_a_step_in_r_or_money_that_can_not_be_told_is_refused_by_name() -> None:
    (held,) = SHORT.view.positions

    def with_(**changes: object) -> Around:
        return replace(SHORT, view=replace(SHORT.view, positions=(replace(held, **changes),)))

    assert "is one of an open position" in refused("buy 0.1 at bid-10$")
    assert "it has no R" in refused("stop entry-1r", with_(one_r=None))
    assert "an inverse contract" in refused("stop entry-1r", with_(point=None))
    assert "no rate" in refused("stop entry-5$", with_(point_in_account=None))
