"""What funding and lending cost: only the venue's money says so, and it is booked when nothing else
can explain it.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.messages import Pulse
from engine.desk.previews import preview
from engine.model import intent as i
from engine.model import report as r
from engine.model.request import QueryAccount
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story, lending

D = Decimal
FUTURES = "kraken-futures"


def pictures(story: Story, *changes: str) -> None:
    """The venue's money is by so much another, picture after picture."""
    for change in changes:
        story.now += 60 * SECOND
        story.picture({**story.money(), "USD": story.money()["USD"] + D(change)})


def booked(story: Story) -> list[Decimal]:
    return [event.amount for event in story.seen(e.Financed)]


@pytest.mark.parametrize("profile", [FUTURES, load_profile("kraken-spot")])
@pytest.mark.parametrize("amount", ["-3.1", "2.5"])
def test_what_two_pictures_say_is_booked(profile: str, amount: str) -> None:
    story = Story(profile)
    story.opened("0.5", side=Side.SELL)
    cash = story.state.cash["USD"]
    pictures(story, amount)
    assert not booked(story), "an execution may be on its way"
    pictures(story, amount)
    assert booked(story) == [D(amount)]
    assert story.state.cash["USD"] == cash + D(amount)
    assert story.state.totals.financing == {"USD": D(amount)}
    assert story.views.account(story.ctx).financing == D(amount)
    pictures(story, "0", "0")
    assert booked(story) == [D(amount)]
    assert "DIFFERENCE" not in story.standing()
    story.replays()


def test_what_changes_from_one_picture_to_the_next_is_not_booked_yet() -> None:
    story = Story(FUTURES)
    story.opened()
    pictures(story, "-3", "-4", "-5", "-5")
    assert booked(story) == [D(-5)]


def test_more_than_lending_can_cost_is_a_difference() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    pictures(story, "-305", "-305")
    assert not booked(story)
    assert "DIFFERENCE" in story.standing()


def test_without_a_loan_there_is_nothing_to_pay_for() -> None:
    story = Story()
    story.opened()
    pictures(story, "-3", "-3")
    assert not booked(story)
    assert "DIFFERENCE" in story.standing()


@pytest.mark.hazard("H97")
@pytest.mark.parametrize("which", [0, 1])
def test_the_oldest_loan_is_paid_back_first_and_what_is_beyond_is_what_lending_costs(
    which: int,
) -> None:
    story = Story(lending("kraken-spot"))
    both = (
        story.opened("0.5", stop=None, leverage=D(2)),
        story.opened("0.5", price="60100", stop=None, leverage=D(2)),
    )
    cash = story.state.cash["USD"]
    story.ask(i.ClosePosition(id="c", position=both[which].id))
    story.fill(story.order("close"), price="60200")
    assert story.money()["USD"] - cash == 100, "whichever of ours it was"
    pictures(story, "-20", "-20")
    assert booked(story) == [D(-20)]
    story.ask(i.ClosePosition(id="d", position=story.position().id))
    story.fill(story.order("close"), price="60200")
    assert story.money()["USD"] - cash == 130
    assert story.state.nets == {}
    pictures(story, "-2", "-2")
    assert booked(story) == [D(-20), D(-2)]
    assert "DIFFERENCE" not in story.told()
    story.replays()


def test_an_entry_that_was_closed_before_the_next_was_opened_leaves_no_doubt() -> None:
    story = Story(FUTURES)
    first = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=first.id))
    story.fill(story.order("close"))
    story.now += SECOND
    story.opened("0.5", price="60100", stop=None)
    pictures(story, "-2", "-2")
    assert booked(story) == [D(-2)]


def test_nothing_is_booked_while_something_is_under_way() -> None:
    story = Story(FUTURES)
    story.opened()
    story.buy("1", symbol=ETH)
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))
    pictures(story, "-3", "-3")
    assert not booked(story)


def test_inverse_contracts_pay_in_coins_that_are_kept_apart() -> None:
    profile = load_profile(FUTURES)
    story = Story(profile, listed=(instrument_for(profile, "PI_XBTUSD", D("0.5")),))
    story.price("PI_XBTUSD", "60000", "60000.5")
    story.opened("6000", symbol="PI_XBTUSD", stop=None)
    story.now += 60 * SECOND
    story.picture({"USD": story.state.cash["USD"]})
    assert "DIFFERENCE" not in story.standing()
    assert BTC not in story.state.cash


# What it costs next


def rated(rate: str) -> Story:
    story = Story(FUTURES)
    story.tell(r.FundingRate(BTC, D(rate), START + 1800 * SECOND, story.now))
    return story


def test_the_rate_and_what_it_costs_stand_beside_the_price() -> None:
    story = rated("0.0001")
    (feed,) = [feed for feed in story.views.feeds(story.ctx) if feed.symbol == BTC]
    assert (feed.funding, feed.funding_at, feed.funding_pays) == (
        D("0.0001"),
        START + 1800 * SECOND,
        D(0),
    )
    story.opened("0.5")
    story.opened("0.5", label="more")
    (feed,) = [feed for feed in story.views.feeds(story.ctx) if feed.symbol == BTC]
    assert feed.funding_pays == D("-6.000005"), "longs pay"
    (other,) = [feed for feed in story.views.feeds(story.ctx) if feed.symbol == ETH]
    assert (other.funding, other.funding_at, other.funding_pays) == (None, None, D(0))


@pytest.mark.parametrize(
    ("waited", "due"),
    [(0, 1800), (1800, 1800 + 3600), (1801, 1800 + 3600), (1800 + 3600, 1800 + 7200)],
)
def test_a_venue_that_says_nothing_more_pays_on_each_hour(waited: int, due: int) -> None:
    story = rated("-0.0001")
    story.now += waited * SECOND
    (feed,) = [feed for feed in story.views.feeds(story.ctx) if feed.symbol == BTC]
    assert feed.funding_at == START + due * SECOND


def test_the_ticket_tells_what_an_hour_costs() -> None:
    story = rated("0.0001")
    told = preview(
        story.ctx,
        i.OpenBracket(
            id="x", symbol=BTC, side=Side.SELL, size=i.Base(D(1)), stop=i.Away(D("0.01"))
        ),
    )
    assert {line.name: line.after for line in told.lines}[
        "funding"
    ] == "▲6.00 USD an hour at 0.0100%, next in 30 min"
    other = preview(
        story.ctx,
        i.OpenBracket(
            id="y", symbol=ETH, side=Side.SELL, size=i.Base(D(1)), stop=i.Away(D("0.01"))
        ),
    )
    assert "funding" not in {line.name for line in other.lines}


def looks(story: Story, seconds: int) -> list[int]:
    """Seconds after which a picture of the account was asked for; each shows the same money."""
    began, asked = story.now, []
    money = {**story.money(), "USD": story.money()["USD"] - D("3.1")}
    for _ in range(seconds):
        story.now += SECOND
        before = len(story.sent(QueryAccount))
        if story.desk.next_pulse(story.now) <= story.now:
            story.tell(Pulse())
        if len(story.sent(QueryAccount)) > before:
            asked.append((story.now - began) // SECOND)
            story.picture(money)
    return asked


@pytest.mark.hazard("H97")
def test_what_a_loan_cost_is_looked_up_soon_after_it_was_paid_back() -> None:
    story = Story(lending("kraken-spot"))
    position = story.opened("0.5", stop=None, leverage=D(2))
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.now += SECOND
    story.fill(story.order("close"), price="60100")
    assert looks(story, 30) == [5, 10], "no fill tells it, and nothing else would ask for minutes"
    assert booked(story) == [D("-3.1")]


def test_nobody_looks_sooner_where_nothing_was_lent() -> None:
    story = Story("kraken-spot")
    position = story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.now += SECOND
    story.fill(story.order("close"), price="60100")
    assert looks(story, 30) == []
