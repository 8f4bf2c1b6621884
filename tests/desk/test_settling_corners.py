"""How a difference is booked: what it closed, in which order and how far, what is adopted or left;
and by which name it is asked for.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import account_prefix, position_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Position
from engine.model.request import Cancel
from engine.model.side import Side
from engine.model.view import Answer
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"
ADOPT, FORGET, FLATTEN = i.Settlement.ADOPT, i.Settlement.FORGET, i.Settlement.FLATTEN
MINE = f"{account_prefix('test')}UNKNOWN"


def told(story: Story, holding: str, **more: str) -> None:
    """A later picture in which the venue holds so much bitcoin, and what else is given."""
    story.now += 20 * SECOND
    if story.profile.derivatives:
        others = {
            position.symbol: position.signed_size
            for position in story.state.positions.values()
            if position.symbol != BTC
        }
        story.picture(net={BTC: D(holding), **others})
    else:
        story.picture(
            {
                **story.state.cash,
                "BTC": D(holding),
                **{name: D(amount) for name, amount in more.items()},
            }
        )


def resolve(story: Story, subject: str, action: i.Settlement, name: str = "key") -> Answer:
    return story.ask(i.Resolve(id=name, subject=subject, action=action))


def subject_of(story: Story) -> str:
    """What a holding of bitcoin is called: derivatives by their symbol, spot by its currency."""
    return BTC if story.profile.derivatives else "BTC"


def sizes(story: Story) -> dict[str, Decimal]:
    """What each position holds, signed, by its label."""
    return {position.label: position.signed_size for position in story.state.positions.values()}


def booked(story: Story) -> list[Fill]:
    return [event.fill for event in story.seen(e.HoldingAdjusted)]


def elsewhere(story: Story, position: Position, side: Side, price: str, size: str) -> Fill:
    """A fill as it should be booked for something that happened elsewhere: at the market's price,
    without a fee.
    """
    name = f"key/{position.id}"
    return Fill(
        name,
        "",
        position.symbol,
        side,
        D(price),
        D(size),
        D(0),
        "USD",
        Liquidity.TAKER,
        story.now,
        position.id,
    )


# What the venue no longer has


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
@pytest.mark.parametrize("action", [FORGET, FLATTEN])
def test_what_a_long_lacks_was_sold_at_the_bid(profile: str, action: i.Settlement) -> None:
    story = Story(profile)
    position = story.opened("0.5", stop=None)
    told(story, "0.2")
    assert resolve(story, subject_of(story), action).ok
    assert booked(story) == [elsewhere(story, position, Side.SELL, "60000", "0.3")]
    assert story.position().size == D("0.2")


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
@pytest.mark.parametrize("action", [FORGET, FLATTEN])
def test_what_a_short_lacks_was_bought_at_the_ask(profile: str, action: i.Settlement) -> None:
    story = Story(profile)
    position = story.opened("0.5", side=Side.SELL, stop=None)
    told(story, "-0.2")
    assert resolve(story, subject_of(story), action).ok
    assert booked(story) == [elsewhere(story, position, Side.BUY, "60000.1", "0.3")]
    assert story.position().signed_size == D("-0.2")


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_the_oldest_goes_first_and_the_next_in_part(profile: str) -> None:
    story = Story(profile)
    first = story.opened("0.3", label="first", stop=None)
    second = story.opened("0.4", label="second", stop=None)
    story.opened("0.1", label="third", stop=None)
    story.opened("1", symbol=ETH, price="3000", label="other", stop=None)
    told(story, "0.3")
    assert resolve(story, subject_of(story), FORGET).ok
    assert booked(story) == [
        elsewhere(story, first, Side.SELL, "60000", "0.3"),
        elsewhere(story, second, Side.SELL, "60000", "0.2"),
    ]
    assert sizes(story) == {"second": D("0.2"), "third": D("0.1"), "other": D(1)}
    assert story.closed().close_reason == "elsewhere"
    assert "DIFFERENCE" not in story.standing()
    story.replays()


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_a_difference_of_exactly_the_oldest_leaves_the_next_alone(profile: str) -> None:
    story = Story(profile)
    story.opened("0.3", label="first", stop=None)
    story.opened("0.4", label="second", stop=None)
    told(story, "0.4")
    assert resolve(story, subject_of(story), FORGET).ok
    assert sizes(story) == {"second": D("0.4")}
    assert len(booked(story)) == 1


def test_what_was_closed_too_much_is_undone_by_what_was_bought_elsewhere() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.fill(story.order("stop"), "0.7", price="59400")
    story.witness()
    story.rejected(story.order("close"))
    story.now += SECOND // 2  # it is tried again after a second
    story.picture(net={BTC: D("-0.05")})
    assert resolve(story, BTC, FORGET).ok
    assert booked(story) == [elsewhere(story, position, Side.BUY, "60000.1", "0.15")]
    assert story.state.positions[position.id].size == D("-0.05")


# What is not in custody goes first


@pytest.mark.parametrize(
    ("venue", "left"), [("0.8", "0.5"), ("0.5", "0.5"), ("0.3", "0.3"), ("0.49", "0.49")]
)
def test_of_a_spot_holding_what_is_not_in_custody_goes_first(venue: str, left: str) -> None:
    story = Story(SPOT)
    told(story, "0.5")
    assert resolve(story, "BTC", FORGET, "first").ok, (
        "half a bitcoin lies there and is not ours to keep"
    )
    story.opened("0.5", stop=None)
    story.opened("2", symbol=ETH, price="3000", stop=None)
    told(story, venue)
    assert resolve(story, "BTC", FORGET).ok
    assert story.state.cash["BTC"] == D(venue)
    (held,) = [position for position in story.state.positions.values() if position.symbol == BTC]
    assert held.size == D(left)
    assert len(booked(story)) == (1 if D(left) < D("0.5") else 0)


def test_more_of_what_is_not_in_custody_closes_nothing() -> None:
    story = Story(SPOT)
    told(story, "0.5")
    assert resolve(story, "BTC", FORGET, "first").ok
    story.opened("0.5", stop=None, label="ours")
    told(story, "1.2")
    assert resolve(story, "BTC", FORGET).ok
    assert (sizes(story), booked(story), story.state.cash["BTC"]) == (
        {"ours": D("0.5")},
        [],
        D("1.2"),
    )


@pytest.mark.parametrize(
    ("venue", "remains"), [("0.1", {BTC: D("0.1")}), ("0", {}), ("0.4", {BTC: D("0.4")})]
)
def test_of_a_derivative_what_was_left_elsewhere_goes_first(
    venue: str, remains: dict[str, Decimal]
) -> None:
    story = Story(FUTURES)
    told(story, "0.4")
    assert resolve(story, BTC, FORGET, "first").ok
    assert story.seen(e.LeftElsewhere) == [e.LeftElsewhere(story.now, BTC, D("0.4"))]
    told(story, venue)
    if D(venue) != D("0.4"):
        assert resolve(story, BTC, ADOPT).ok
        assert story.seen(e.LeftElsewhere)[-1].size == D(venue) - D("0.4")
    assert (story.state.elsewhere, story.state.positions, booked(story)) == (remains, {}, [])


def test_more_than_what_was_left_elsewhere_is_what_is_new() -> None:
    story = Story(FUTURES)
    told(story, "0.4")
    assert resolve(story, BTC, FORGET, "first").ok
    told(story, "0.7")
    assert resolve(story, BTC, ADOPT).ok
    assert story.state.elsewhere == {BTC: D("0.4")}
    assert story.position().signed_size == D("0.3")


def test_dust_is_part_of_what_is_held() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    story.fill(story.order("stop"), "0.50005", price="59400")
    assert story.state.dust == {BTC: D("-0.00005")}
    told(story, "0.3")
    assert resolve(story, BTC, ADOPT).ok
    assert story.position().size == D("0.30005")


# What the venue has beyond ours


@pytest.mark.parametrize(
    ("venue", "side", "price"), [("0.4", Side.BUY, "60000.1"), ("-0.4", Side.SELL, "60000")]
)
def test_what_is_adopted_is_a_position_at_the_markets_price(
    venue: str, side: Side, price: str
) -> None:
    story = Story(FUTURES)
    told(story, venue)
    assert resolve(story, BTC, ADOPT).ok
    position = story.position()
    assert position.id == position_id("test", "key")
    assert (position.symbol, position.side, position.size, position.settle) == (
        BTC,
        side,
        D("0.4"),
        "USD",
    )
    assert (position.created_at, position.opened_at, position.note) == (
        story.now,
        story.now,
        "adopted",
    )
    assert booked(story) == [elsewhere(story, position, side, price, "0.4")]
    assert (position.stop, position.target, position.trail, position.closing) == (
        None,
        None,
        None,
        D(0),
    )
    assert not story.state.orders
    story.replays()


@pytest.mark.parametrize(
    ("venue", "held", "closes"), [("0.4", Side.BUY, Side.SELL), ("-0.4", Side.SELL, Side.BUY)]
)
def test_what_is_flattened_is_closed_on_the_other_side(
    venue: str, held: Side, closes: Side
) -> None:
    story = Story(FUTURES)
    told(story, venue)
    assert resolve(story, BTC, FLATTEN).ok
    position = story.position()
    assert (position.side, position.closing, position.close_reason) == (held, D("0.4"), "flatten")
    close = story.order("close")
    assert (close.side, close.size) == (closes, D("0.4"))


@pytest.mark.parametrize(
    ("action", "held"), [(ADOPT, {"": D("-0.1")}), (FLATTEN, {"": D("-0.1")}), (FORGET, {})]
)
def test_a_long_that_the_venue_has_short_is_closed_and_the_rest_is_new(
    action: i.Settlement, held: dict[str, Decimal]
) -> None:
    story = Story(FUTURES)
    position = story.opened("0.3", label="ours", stop=None)
    told(story, "-0.1")
    assert resolve(story, BTC, action).ok
    assert booked(story)[0] == elsewhere(story, position, Side.SELL, "60000", "0.3")
    assert sizes(story) == held
    assert story.state.elsewhere == ({BTC: D("-0.1")} if action is FORGET else {})
    assert story.closed().id == position.id


def test_a_spot_holding_that_is_forgotten_is_cash_and_nothing_else() -> None:
    story = Story(SPOT)
    told(story, "0.4")
    assert resolve(story, "BTC", FORGET).ok
    assert (story.state.cash["BTC"], story.state.positions, story.state.elsewhere) == (
        D("0.4"),
        {},
        {},
    )


def test_a_spot_holding_that_is_gone_from_the_picture_is_none() -> None:
    story = Story(SPOT)
    story.opened("0.5", stop=None)
    story.now += 20 * SECOND
    story.picture({"USD": story.state.cash["USD"]})
    assert resolve(story, "BTC", FORGET).ok
    assert story.state.cash["BTC"] == 0
    assert story.closed().close_reason == "elsewhere"


# Money


def test_money_that_differs_is_taken_over_and_moves_what_losses_are_measured_from() -> None:
    story = Story(cash="1000")
    story.wait(61)
    story.now += 20 * SECOND
    story.picture({"USD": D(400)})
    answer = resolve(story, "USD", ADOPT)
    assert answer.text == "USD: 1000 → 400, in custody now"
    assert (story.state.cash, story.state.positions) == ({"USD": D(400)}, {})
    assert story.seen(e.Rebased) == [e.Rebased(story.now, D(-600))]
    assert (story.state.day.equity, story.state.day.peak) == (D(400), D(400))


def test_a_currency_that_nothing_trades_as_spot_is_only_money() -> None:
    profile = load_profile(FUTURES)
    story = Story(profile, listed=(instrument_for(profile, BTC, D("0.1")),))
    story.now += 20 * SECOND
    story.picture({"USD": D(1_000_000), "BTC": D(2), "DOGE": D(5)})
    assert resolve(story, "BTC", ADOPT, "one").ok
    assert resolve(story, "DOGE", FLATTEN, "two").ok
    assert story.state.cash == {"USD": D(1_000_000), "BTC": D(2), "DOGE": D(5)}
    assert (story.state.positions, story.state.orders, booked(story)) == ({}, {}, [])


def test_the_margin_money_of_a_derivative_is_taken_over_with_it() -> None:
    story = Story(FUTURES)
    story.now += 20 * SECOND
    story.picture({"USD": D(999_000)}, net={BTC: D("0.4")})
    assert resolve(story, BTC, ADOPT).ok
    assert story.state.cash == {"USD": D(999_000)}
    assert story.seen(e.Rebased) == [e.Rebased(story.now, D("-1000.04"))], (
        "and 0.4 bought at the ask are worth the bid"
    )


def test_what_is_adopted_on_spot_is_no_profit() -> None:
    story = Story(SPOT)
    told(story, "0.4")
    assert resolve(story, "BTC", ADOPT).ok
    assert story.seen(e.Rebased) == [e.Rebased(story.now, D(24_000))]


def test_where_no_money_moves_nothing_is_rebased() -> None:
    story = Story(FUTURES)
    story.price(BTC, "60000", "60000")
    told(story, "0.4")
    assert resolve(story, BTC, ADOPT).ok
    assert story.seen(e.Rebased) == []


# What a currency is traded as


def listed(*symbols: str) -> Story:
    """Ripple lies on the account; these markets trade it."""
    profile = load_profile(SPOT)
    story = Story(
        profile,
        listed=tuple(instrument_for(profile, symbol, D("0.00001")) for symbol in (*symbols, BTC)),
    )
    for symbol, price in (
        ("XRP/BTC", "0.00003"),
        ("XRP/EUR", "1.5"),
        ("XRP/USD", "1.8"),
        (BTC, "60000"),
    ):
        story.price(symbol, price, price)
    story.now += 20 * SECOND
    story.picture({**story.state.cash, "XRP": D(500)})
    return story


@pytest.mark.parametrize(
    ("symbols", "symbol"),
    [
        (("XRP/BTC", "XRP/USD"), "XRP/USD"),
        (("XRP/USD", "XRP/BTC"), "XRP/USD"),
        (("XRP/EUR", "XRP/BTC"), "XRP/EUR"),
        (("XRP/BTC",), "XRP/BTC"),
    ],
)
def test_a_currency_is_traded_against_the_accounts_where_that_is_listed(
    symbols: tuple[str, ...], symbol: str
) -> None:
    story = listed(*symbols)
    assert resolve(story, "XRP", ADOPT).ok
    assert (story.position().symbol, story.position().size) == (symbol, D(500))


def test_a_currency_that_is_gone_is_gone_from_whichever_market_holds_it() -> None:
    story = listed("XRP/BTC", "XRP/USD")
    assert resolve(story, "XRP", FORGET, "first").ok
    story.picture({**story.state.cash, "XRP": D(0)})
    assert resolve(story, "XRP", FORGET, "second").ok
    story.picture({**story.state.cash, "BTC": D(1)})
    assert resolve(story, "BTC", FORGET, "third").ok
    assert story.buy("1000", symbol="XRP/BTC", stop=None).ok
    story.fill(story.order("entry"), price="0.00003", fee="0", currency="BTC")
    story.now += SECOND
    story.picture({**story.state.cash, "XRP": D(400)})
    assert resolve(story, "XRP", FORGET).ok
    (fill,) = booked(story)
    assert (fill.symbol, fill.side, fill.price, fill.size, fill.fee_currency) == (
        "XRP/BTC",
        Side.SELL,
        D("0.00003"),
        D(600),
        "BTC",
    )
    assert story.position().size == D(400)


def test_a_contract_that_is_gone_is_gone_from_its_own_symbol_only() -> None:
    profile = load_profile(FUTURES)
    story = Story(
        profile,
        listed=(
            instrument_for(profile, BTC, D("0.1")),
            instrument_for(profile, "PI_XBTUSD", D("0.5")),
        ),
    )
    story.price(BTC, "60000")
    story.price("PI_XBTUSD", "60000", "60000.5")
    story.opened("6000", symbol="PI_XBTUSD", stop=None, label="inverse")
    story.opened("0.5", stop=None, label="linear")
    told(story, "0.2")
    assert resolve(story, BTC, FORGET).ok
    assert sizes(story) == {"inverse": D(6000), "linear": D("0.2")}


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_an_entry_that_waits_has_nothing_to_lose(profile: str) -> None:
    story = Story(profile)
    assert story.buy("0.1", type=LIMIT, price=D(59_000), label="waits", stop=None).ok
    story.accept(story.order("entry"))
    story.opened("0.5", label="held", stop=None)
    told(story, "0.2")
    assert resolve(story, subject_of(story), FORGET).ok
    assert sizes(story) == {"waits": D(0), "held": D("0.2")}
    assert len(booked(story)) == 1


def test_without_a_price_nothing_is_booked() -> None:
    story = listed("XRP/USD")
    story.board._symbols["XRP/USD"].quote = None
    story.board.moved.add("XRP/USD")
    answer = resolve(story, "XRP", ADOPT)
    assert [(refusal.code, refusal.value) for refusal in answer.refusals] == [
        ("NO_PRICE", "XRP/USD")
    ]
    assert (story.state.cash.get("XRP"), story.state.positions) == (None, {})


# By which name it is asked for, and when


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (ADOPT, "BTC: 0.5 → 0.2, in custody now"),
        (FORGET, "BTC: 0.5 → 0.2, as the venue has it"),
        (FLATTEN, "BTC: 0.5 → 0.2, being closed"),
    ],
)
def test_the_answer_says_what_is_done(action: i.Settlement, said: str) -> None:
    story = Story(SPOT)
    story.opened("0.5", stop=None)
    told(story, "0.2")
    assert resolve(story, "BTC", action).text == said


def test_what_differs_is_listed_where_something_else_was_asked_for() -> None:
    story = Story(SPOT)
    told(story, "0.4", EUR="5")
    (refusal,) = resolve(story, "DOGE", ADOPT).refusals
    assert (refusal.code, refusal.value, refusal.bound) == (
        "UNKNOWN_DIFFERENCE",
        "DOGE",
        "BTC, EUR",
    )


def test_before_the_first_picture_nothing_differs_whatever_is_under_way() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    story.board.picture = None
    for doubted in (False, True):
        if doubted:
            story.tell(
                r.Unknown(story.order("stop").client_order_id, "amend", "no answer", story.now)
            )
        (refusal,) = resolve(story, "BTC", ADOPT, str(doubted)).refusals
        assert (refusal.code, refusal.value, refusal.bound) == ("UNKNOWN_DIFFERENCE", "BTC", "none")


def test_while_something_is_under_way_it_is_waited_for() -> None:
    story = Story(SPOT)
    story.opened("0.5")
    told(story, "0.2")
    story.tell(r.Unknown(story.order("stop").client_order_id, "amend", "no answer", story.now))
    for subject, code in (("BTC", "PENDING"), ("DOGE", "UNKNOWN_DIFFERENCE")):
        (refusal,) = resolve(story, subject, ADOPT, subject).refusals
        assert (refusal.code, refusal.value) == (code, subject)


def resting(name: str, venue_order_id: str | None) -> Story:
    """An order of 0.3 at the venue of which 0.1 has filled, and which no journal of ours knows;
    half a bitcoin is held.
    """
    story = Story(SPOT)
    story.opened("0.5")
    stop = story.order("stop")
    status = Status.PARTIALLY_FILLED
    order = Order(
        name,
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.3"),
        price=D(70_000),
        status=status,
        filled=D("0.1"),
        venue_order_id=venue_order_id,
    )
    story.now += 20 * SECOND
    story.picture(orders=(stop, order))
    return story


@pytest.mark.parametrize(
    ("name", "venue_order_id", "subject", "alert"),
    [
        (MINE, "OXX", MINE, "UNKNOWN_ORDER"),
        (MINE, "OXX", "OXX", "UNKNOWN_ORDER"),
        ("web-page", "OXX", "web-page", "FOREIGN_ORDER"),
        ("web-page", "OXX", "OXX", "FOREIGN_ORDER"),
        ("web-page", None, "web-page", "FOREIGN_ORDER"),
    ],
)
def test_an_order_that_nobody_knows_is_found_by_either_id(
    name: str, venue_order_id: str | None, subject: str, alert: str
) -> None:
    story = resting(name, venue_order_id)
    assert alert in story.standing()
    answer = resolve(story, subject, FORGET, "one")
    assert (answer.ok, answer.text) == (True, "sell 0.2 BTC/USD is left alone")
    assert alert not in story.standing()
    assert story.sent(Cancel) == []
    answer = resolve(story, subject, FLATTEN, "two")
    assert (answer.ok, answer.text) == (True, "cancelling sell 0.2 BTC/USD")
    (cancel,) = story.sent(Cancel)
    assert (cancel.client_order_id, cancel.venue_order_id, cancel.symbol) == (
        name,
        venue_order_id,
        BTC,
    )


def test_only_the_alert_about_that_order_ends() -> None:
    story = resting(MINE, "OXX")
    stranger = Order(
        "web-page",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(70_000),
        status=Status.OPEN,
        venue_order_id="O2",
    )
    assert story.board.picture is not None
    story.picture(orders=(*story.board.picture.orders, stranger))
    assert {"UNKNOWN_ORDER", "FOREIGN_ORDER"} <= story.standing()
    assert resolve(story, MINE, FORGET, "one").ok
    assert "UNKNOWN_ORDER" not in story.standing()
    assert "FOREIGN_ORDER" in story.standing()
    assert resolve(story, "O2", FORGET, "two").ok
    assert "FOREIGN_ORDER" not in story.standing()


def test_an_order_that_is_known_is_no_difference() -> None:
    story = resting(MINE, "OXX")
    stop = story.order("stop")
    for subject in (stop.client_order_id, stop.venue_order_id or ""):
        assert [refusal.code for refusal in resolve(story, subject, FLATTEN, subject).refusals] == [
            "UNKNOWN_DIFFERENCE"
        ]
    assert story.sent(Cancel) == []
