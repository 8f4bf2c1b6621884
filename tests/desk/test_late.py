"""What is told late: an end without its fills, a fill after a settlement that stood for it, a doubt
that does not end.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.desk import codec, totals
from engine.desk.messages import Restarted
from engine.journal import Journal
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Query, QueryAccount, Submit
from engine.records import batch
from engine.rehearsal.auditor import Auditor
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def _lost(profile: str = FUTURES) -> tuple[Story, Order]:
    """An entry whose answer was lost, which executed, and of which the venue says that it is
    cancelled with nothing filled.
    """
    story = Story(profile)
    story.buy("0.1", stop=i.Away(D("0.05")))
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "502 Bad Gateway", story.now))
    _cancelled(story, entry)
    return story, entry


def _cancelled(story: Story, entry: Order) -> None:
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, venue_order_id="V", reason="CANCELLED_BY_USER"),
            (),
            story.now,
        )
    )


def _audited(story: Story) -> None:
    """The events alone, by the auditor's own arithmetic, come to the same."""
    auditor = Auditor(price_age=60 * SECOND)
    auditor.begin(story.events)
    for name in story.state.positions | story.state.closed:
        assert not list(auditor.books.differing(name, story.state))
    assert not list(auditor.books.money(story.state))
    story.replays()


def _late(story: Story, entry: Order, price: str, fee: str, at: int, currency: str = "USD") -> Fill:
    """The entry's execution, told now."""
    fill = replace(story.fill_of(entry, "0.1", price, fee, currency), at=at)
    story.tell(r.Filled(fill, story.now))
    return fill


@pytest.mark.hazard("H79")
def test_an_entry_told_as_cancelled_is_not_over_while_its_fills_may_be_late() -> None:
    story, entry = _lost()
    began = story.now
    assert story.now_of(entry).is_open
    assert "UNKNOWN_OUTCOME" in story.standing()
    asked = len(story.sent(Query))
    pictures = len(story.sent(QueryAccount))
    while story.now < began + 59 * SECOND:
        story.wait(1)
        _cancelled(story, entry)
        assert story.now_of(entry).is_open
        assert "UNKNOWN_OUTCOME" in story.standing(), (
            "somebody is told as long as it is not certain"
        )
    assert len(story.sent(Query)) > asked, "it goes on asking"
    assert len(story.sent(QueryAccount)) > pictures, "in two ways"
    story.wait(2)
    _cancelled(story, entry)
    assert story.now_of(entry).status is Status.CANCELLED
    assert not story.state.positions
    assert "UNKNOWN_OUTCOME" not in story.standing()
    story.replays()


@pytest.mark.hazard("H79")
def test_a_fill_that_comes_before_the_end_is_believed_is_protected_at_once() -> None:
    story, entry = _lost()
    story.wait(20)
    story.fill(entry, "0.1")
    assert story.order("stop").size == D("0.1")
    assert story.now_of(entry).status is Status.FILLED


@pytest.mark.hazard("H79")
def test_what_the_venue_shows_meanwhile_is_told_as_a_difference() -> None:
    story, _ = _lost()
    story.wait(20)
    story.picture(orders=(), net={BTC: D("0.1")})
    assert {
        alert.target for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    } == {BTC}


@pytest.mark.hazard("H79")
def test_an_end_is_not_believed_while_a_difference_stands_that_the_order_would_explain() -> None:
    story, entry = _lost()
    story.wait(20)
    story.picture(orders=(), net={BTC: D("0.1")})
    story.wait(60)
    _cancelled(story, entry)
    assert story.now_of(entry).is_open
    # whoever made the difference: nobody settles it, and the order is in doubt no longer
    for _ in range(12):
        story.wait(10)
        story.picture(orders=(), net={BTC: D("0.1")})
        _cancelled(story, entry)
    assert story.now_of(entry).status is Status.CANCELLED
    assert {"UNKNOWN_OUTCOME", "DOUBT_OLD"}.isdisjoint(story.standing())
    assert "DIFFERENCE" in story.standing(), "it is told all the same"
    fill = replace(story.fill_of(entry, "0.1", "60500", "3.1", "USD"), at=story.now - 150 * SECOND)
    story.tell(r.Filled(fill, story.now))
    assert sum(position.size for position in story.state.positions.values()) == D("0.1"), (
        "and what is told later still is taken up"
    )


def _closed_by_flatten(story: Story) -> None:
    """Flatten takes what the venue shows into custody and closes it."""
    assert story.ask(i.Flatten(id="f")).ok
    story.now += SECOND
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.1")})
    close = story.order("close")
    story.accept(close)
    story.price(BTC, "61000")
    story.fill(close, price="61000", fee="3.05")


@pytest.mark.hazard("H79")
def test_flatten_closes_what_the_venue_shows_and_the_late_fill_is_set_against_that() -> None:
    story, entry = _lost()
    executed = story.now
    story.wait(28)
    _closed_by_flatten(story)
    story.picture(orders=(), net={}, as_of=story.now + 1)
    assert story.state.flatten is not None
    assert story.state.flatten.ended_at is None, (
        "flat is not claimed while an execution may be told"
    )
    sent = len(story.sent(Submit))
    _late(story, entry, "60500", "3.1", executed)
    assert len(story.sent(Submit)) == sent, "a position that does not exist gets no stop"
    assert not story.state.positions
    assert not story.orders("stop")
    closed = next(position for position in story.state.closed.values())
    instrument = story.state.instruments[BTC]
    assert closed.realised_profit(instrument) == D("50") - D("3.1") - D("3.05"), (
        "bought at 60500, not at the price of its adoption"
    )
    assert story.state.cash["USD"] == D("1000000") + D("50") - D("3.1") - D("3.05")
    assert story.state.totals.realised == {"USD": D("43.85")}
    assert story.state.totals.fees == {"USD": D("6.15")}
    assert not story.state.stand_ins
    story.now += SECOND
    story.picture(orders=(), net={})
    assert story.state.flatten.ended_at or story.state.flatten is not None
    assert "DIFFERENCE" not in story.standing()
    _audited(story)


@pytest.mark.hazard("H79")
def test_what_the_late_fill_had_cost_by_its_adoption_counts_as_a_loss_of_the_day() -> None:
    late, entry = _lost()
    late.wait(1)
    began = late.state.day.equity
    executed = late.now
    late.wait(28)
    _closed_by_flatten(late)
    _late(late, entry, "60500", "3.1", executed)
    assert began is not None
    assert late.state.day.equity is not None
    lost = totals.equity(late.ctx)[0] - late.state.day.equity
    assert abs(lost - D("43.85")) <= D("0.01"), (
        "what the trade came to as if it had been told in time, but for the spread of its adoption"
    )


@pytest.mark.hazard("H79")
def test_what_was_adopted_is_not_enlarged_by_its_own_fill() -> None:
    story, entry = _lost()
    executed = story.now
    story.wait(28)
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.1")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.ADOPT)).ok
    _late(story, entry, "60500", "3.1", executed)
    held = story.position()
    assert (held.size, held.entry_value, held.fee_value) == (D("0.1"), D("6050"), D("3.1"))
    assert story.state.cash["USD"] == D("999996.9")
    assert story.now_of(entry).status is Status.FILLED
    _audited(story)


@pytest.mark.hazard("H79")
def test_what_was_left_alone_is_ours_once_its_fill_comes() -> None:
    story, entry = _lost()
    executed = story.now
    story.wait(28)
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.1")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET)).ok
    assert story.state.elsewhere == {BTC: D("0.1")}
    _late(story, entry, "60500", "3.1", executed)
    assert not story.state.elsewhere
    assert story.state.cash["USD"] == D("999996.9"), "the fee is in what was taken over"
    assert story.position().size == D("0.1")
    assert story.order("stop").size == D("0.1")


@pytest.mark.hazard("H79")
@pytest.mark.parametrize("taken", [False, True], ids=["money differs", "money taken over"])
@pytest.mark.parametrize("action", [i.Settlement.ADOPT, i.Settlement.FORGET])
def test_coins_and_money_are_counted_once(action: i.Settlement, taken: bool) -> None:
    story, entry = _lost(SPOT)
    executed = story.now
    story.wait(28)
    theirs = {"USD": D("993946.9"), "BTC": D("0.1")}
    story.picture(theirs, orders=())
    if taken:
        assert story.ask(i.Resolve(id="u", subject="USD", action=i.Settlement.FORGET)).ok
    assert story.ask(i.Resolve(id="r", subject="BTC", action=action)).ok
    _late(story, entry, "60500", "3.1", executed)
    assert story.state.cash == theirs
    assert story.position().size == D("0.1")
    assert story.position().entry_value == D("6050")
    story.now += SECOND
    story.picture(theirs)
    assert "DIFFERENCE" not in story.standing()
    _audited(story)


@pytest.mark.hazard("H79")
def test_a_fee_in_coins_is_part_of_what_was_adopted() -> None:
    story, entry = _lost(SPOT)
    executed = story.now
    story.wait(28)
    story.picture({"USD": D("993950"), "BTC": D("0.0998")}, orders=())
    assert story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.ADOPT)).ok
    _late(story, entry, "60500", "0.0002", executed, "BTC")
    assert story.position().size == D("0.0998")
    assert story.state.cash == {"USD": D("993950"), "BTC": D("0.0998")}
    assert not story.state.stand_ins
    _audited(story)


@pytest.mark.hazard("H79")
def test_an_exit_that_executed_unheard_is_set_against_what_was_booked_as_gone() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    stop = story.order("stop")
    story.now += SECOND
    story.picture({**story.state.cash, "USD": D("999699")}, orders=(), net={})
    executed = story.now - SECOND // 2
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.FORGET)).ok
    fill = replace(story.fill_of(stop, "0.5", "59400", "1"), at=executed)
    story.tell(r.Filled(fill, story.now))
    closed = story.closed()
    assert (closed.size, closed.exit_value) == (D(0), D("29700"))
    assert story.state.cash["USD"] == D("999699")
    assert story.sent(Submit)[-1].order.role is not Role.CLOSE
    _audited(story)


@pytest.mark.hazard("H79")
def test_more_than_was_adopted_is_booked_as_any_other() -> None:
    story, entry = _lost()
    executed = story.now
    story.wait(28)
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.04")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.ADOPT)).ok
    _late(story, entry, "60500", "3.1", executed)
    assert sorted(position.size for position in story.state.positions.values()) == [
        D("0.04"),
        D("0.06"),
    ]
    assert story.now_of(entry).filled == D("0.1")
    assert sum(position.fee_value for position in story.state.positions.values()) == D("3.1")
    _audited(story)


@pytest.mark.hazard("H79")
def test_a_fill_from_after_the_settlement_is_a_new_one() -> None:
    story, entry = _lost()
    story.wait(28)
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.1")})
    assert story.ask(i.Resolve(id="r", subject=BTC, action=i.Settlement.ADOPT)).ok
    story.wait(1)
    _late(story, entry, "60500", "3.1", story.now)
    assert len(story.state.positions) == 2


# H80: a doubt narrows nothing but its own order


@pytest.mark.hazard("H80")
def test_a_doubt_that_does_not_end_is_told_and_nothing_else_waits_for_it() -> None:
    story = Story(FUTURES)
    story.buy("1", symbol=ETH, type=LIMIT, price=D(2_900), stop=None)
    doubtful = story.order("entry")
    story.tell(r.Unknown(doubtful.client_order_id, "submit", "no answer", story.now))
    story.wait(1)
    story.picture(net={BTC: D("0.3")}, orders=())
    assert {
        alert.target for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    } == {BTC}, "another symbol"
    story.wait(5)
    story.picture(net={BTC: D("0.3"), ETH: D(1)}, orders=())
    assert "DIFFERENCE:" + ETH not in story.state.alerts, "a young doubt is about to be answered"
    assert "DOUBT_OLD" not in story.standing()
    story.wait(26)
    assert "DOUBT_OLD" in story.standing()
    story.picture(net={BTC: D("0.3"), ETH: D(1)}, orders=())
    assert "DIFFERENCE:" + ETH in story.state.alerts, "an old one keeps nothing from being compared"
    story.tell(r.Found(replace(doubtful, status=Status.OPEN, venue_order_id="V"), (), story.now))
    assert "DOUBT_OLD" not in story.standing()


@pytest.mark.hazard("H80")
def test_a_difference_is_cured_though_a_doubt_stands_elsewhere() -> None:
    story = Story(FUTURES)
    story.picture(net={BTC: D("0.3")}, as_of=story.now + 1)
    assert "DIFFERENCE" in story.standing()
    story.buy("1", symbol=ETH, type=LIMIT, price=D(2_900), stop=None)
    story.tell(r.Unknown(story.order("entry").client_order_id, "submit", "no answer", story.now))
    story.picture(net={}, orders=(), as_of=story.now + 2)
    assert "DIFFERENCE" not in story.standing()


@pytest.mark.hazard("H80")
def test_a_start_waits_for_the_first_answer_about_each_doubt_and_not_for_its_end() -> None:
    story = Story(FUTURES)
    story.buy("0.1", stop=i.Away(D("0.05")))
    entry = story.order("entry")
    story.tell(Restarted())
    story.now += 1
    story.picture(orders=())
    assert "STARTING" in story.state.blocks
    _cancelled(story, entry)
    story.now += 1
    story.picture(orders=())
    assert story.now_of(entry).is_open
    assert "STARTING" not in story.state.blocks


@pytest.mark.hazard("H79")
def test_the_row_of_a_stand_in_goes_when_its_execution_is_known(tmp_path: Path) -> None:
    story, entry = _lost()
    executed = story.now
    story.wait(28)
    story.picture({"USD": D("999996.9")}, orders=(), net={BTC: D("0.1")})
    journal = Journal.open(tmp_path / "journal.sqlite", "test", "story", now=story.now, inline=True)
    journal.claim("story", story.now)
    adopted = story.tell(i.Resolve(id="r", subject=BTC, action=i.Settlement.ADOPT))
    journal.append(batch(adopted, story.state, (), codec.encode))
    journal.flush()
    assert [row["client_order_id"] for row in journal.rows("fills")] == [""]
    fill = replace(story.fill_of(entry, "0.1", "60500", "3.1"), at=executed)
    journal.append(batch(story.tell(r.Filled(fill, story.now)), story.state, (), codec.encode))
    journal.flush()
    (row,) = journal.rows("fills")
    assert (row["client_order_id"], row["position"]) == (entry.client_order_id, story.position().id)
    journal.close(0)
