"""What is said aloud of each event: its tone, its words, the intent that it answers and what it is
about.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.messages import RateLimited, Trouble
from engine.desk.notices import SPOKEN, Words, words
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"
MILLISECOND = SECOND // 1000


def said(story: Story, kind: type[e.Event]) -> Words | None:
    """What is said of the last event of a kind."""
    return words(
        next(event for event in reversed(story.events) if type(event) is kind), story.state
    )


def resting(story: Story) -> str:
    """An entry that rests: its id."""
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    return story.order("entry").client_order_id


def test_an_intent_that_was_taken_and_one_that_was_refused() -> None:
    story = Story()
    answer = story.ask(i.OpenBracket(id="mine", symbol=BTC, side=Side.BUY, size=i.Base(D("0.1"))))
    assert said(story, e.IntentTaken) == ("busy", "buy 0.1 BTC/USD", "mine", answer.created)
    story.ask(i.MoveStop(id="none", position="nobody", stop=None))
    assert said(story, e.IntentTaken) == (
        "bad",
        "refused: no open position is called nobody",
        "none",
        "",
    )


def test_all_reasons_of_a_refusal_are_said() -> None:
    story = Story()
    story.ask(i.Pause(id="p"))
    story.ask(i.Halt(id="h"))
    story.buy()
    told = said(story, e.IntentTaken)
    assert told is not None
    assert (
        told[1]
        == "refused: halted by you: nothing opens; :unhalt ends it; entries are blocked: paused by"
        " the operator"
    )


def test_an_order_that_is_confirmed_with_how_long_that_took() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.now += 20 * MILLISECOND
    story.accept(entry)
    assert said(story, e.OrderAccepted) == (
        "good",
        "entry buy 0.5 BTC/USD confirmed by the venue in 20 ms",
        "",
        entry.client_order_id,
    )


def test_how_long_a_confirmation_took_is_in_milliseconds() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000))
    story.now += 3600 * SECOND
    story.accept(story.order("entry"))
    told = said(story, e.OrderAccepted)
    assert told is not None
    assert told[1].endswith(" in 3600000 ms")


def test_a_confirmation_never_takes_less_than_no_time() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    assert words(e.OrderAccepted(story.now - SECOND, entry.client_order_id, "V"), story.state) == (
        "good",
        "entry buy 0.5 BTC/USD confirmed by the venue in 0 ms",
        "",
        entry.client_order_id,
    )


def test_the_confirmation_of_a_close_speaks_for_itself() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.accept(story.order("close"))
    assert said(story, e.OrderAccepted) is None


def test_an_order_that_was_moved_says_where_to() -> None:
    story = Story(FUTURES)
    position = story.opened(target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.amended(stop)
    assert said(story, e.OrderAmended) == (
        "good",
        "stop BTC/USD → 59,700 confirmed by the venue",
        "",
        stop.client_order_id,
    )
    story.ask(i.MoveTarget(id="n", position=position.id, target=i.At(D("61500.5"))))
    story.amended(target)
    assert said(story, e.OrderAmended) == (
        "good",
        "target BTC/USD → 61,500.5 confirmed by the venue",
        "",
        target.client_order_id,
    )


def test_a_level_that_the_venue_does_not_tell_is_a_question_mark() -> None:
    story = Story()
    name = resting(story)
    event = e.OrderAmended(story.now, name, D("0.5"), None, None)
    assert words(event, story.state) == (
        "good",
        "entry BTC/USD → ? confirmed by the venue",
        "",
        name,
    )


def test_of_a_trigger_and_a_limit_the_trigger_is_said() -> None:
    story = Story()
    name = resting(story)
    event = e.OrderAmended(story.now, name, D("0.5"), D(61_305), D(61_000))
    assert words(event, story.state) == (
        "good",
        "entry BTC/USD → 61,000 confirmed by the venue",
        "",
        name,
    )


def test_an_order_that_was_not_moved() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    name = story.order("stop").client_order_id
    story.tell(r.AmendRejected(name, "EOrder:no", story.now))
    assert said(story, e.AmendRefused) == ("bad", "stop BTC/USD not moved: EOrder:no", "", name)


def test_an_order_that_was_rejected() -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    story.rejected(entry, "EOrder:no")
    assert said(story, e.OrderRejected) == (
        "bad",
        "entry buy 0.5 BTC/USD rejected: EOrder:no",
        "",
        entry.client_order_id,
    )


def test_an_order_of_which_nothing_is_known() -> None:
    story = Story()
    name = resting(story)
    story.tell(r.Unknown(name, "cancel", "no answer", story.now))
    assert said(story, e.OutcomeUnknown) == (
        "busy",
        "cancel of entry buy 0.5 BTC/USD: unknown, asking the venue",
        "",
        name,
    )


def test_an_entry_that_was_cancelled_with_what_it_filled() -> None:
    story = Story()
    name = resting(story)
    story.fill(story.order("entry"), "0.2", price="59000")
    story.cancelled(story.order("entry"))
    assert said(story, e.OrderCancelled) == (
        "plain",
        "entry buy 0.5 BTC/USD cancelled with 0.2 filled",
        "",
        name,
    )


def test_an_exit_that_was_cancelled_speaks_for_itself() -> None:
    story = Story()
    story.opened()
    story.cancelled(story.order("stop"))
    assert said(story, e.OrderCancelled) is None


def test_an_order_that_expired_with_what_it_filled() -> None:
    story = Story()
    name = resting(story)
    story.tell(r.Expired(name, D(0), story.now))
    assert said(story, e.OrderExpired) == (
        "plain",
        "entry buy 0.5 BTC/USD expired with 0 filled",
        "",
        name,
    )


def test_a_fill() -> None:
    story = Story()
    name = resting(story)
    story.fill(story.order("entry"), "0.2", price="58999.5")
    assert said(story, e.OrderFilled) == ("good", "buy 0.2 BTC/USD filled at 58,999.5", "", name)


@pytest.mark.parametrize(
    ("price", "fee", "tone", "money"),
    [
        ("61000", "0", "good", "▲500.00"),
        ("59000", "10", "plain", "▼510.00"),
        ("60000", "0", "good", "▲0.00"),
        ("60000", "0.4", "plain", "▼0.40"),
    ],
)
def test_a_position_that_is_closed_with_what_it_brought(
    price: str, fee: str, tone: str, money: str
) -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"), price=price, fee=fee)
    assert said(story, e.PositionClosed) == (
        tone,
        f"BTC/USD closed by operator: {money} USD after fees",
        "",
        position.id,
    )


def test_blocks_that_begin_and_end() -> None:
    story = Story()
    story.ask(i.Pause(id="p"))
    assert said(story, e.EntriesBlocked) == (
        "busy",
        "entries blocked: paused by the operator",
        "",
        "",
    )
    story.ask(i.Resume(id="r"))
    assert said(story, e.EntriesAllowed) == ("good", "entries on: PAUSED has ended", "", "")


def test_a_flatten_says_the_first_line_of_its_receipt() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.ask(i.Flatten(id="f"))
    story.fill(story.order("close"))
    story.now += SECOND
    story.picture()
    assert len(story.seen(e.FlattenEnded)[-1].receipt) == 2
    assert said(story, e.FlattenEnded) == (
        "good",
        "the venue says flat: 1 position closed, 0 orders cancelled, in 1.0 s",
        "",
        "",
    )


def test_an_alert_is_said_once_and_not_where_it_needs_nothing() -> None:
    story = Story()
    position = story.opened(stop=None)
    assert said(story, e.AlertRaised) == (
        "bad",
        "BTC/USD has no stop, at the venue or here. m: set one  x: close",
        "",
        position.id,
    )
    story.tell(RateLimited("slow down"))
    assert said(story, e.AlertRaised) == (
        "bad",
        "the venue's rate limit was hit: slow down",
        "",
        "",
    )
    story.tell(RateLimited("slower"))
    assert story.seen(e.AlertRaised)[-1].alert.count == 2
    assert said(story, e.AlertRaised) is None
    story.fill(story.state.ended[next(iter(story.state.ended))], "0.1", fee="1", currency="KFEE")
    (info,) = [event for event in story.seen(e.AlertRaised) if event.alert.code == "UNPRICED_FEE"]
    assert words(info, story.state) is None


def test_what_is_about_no_order_that_is_known_is_not_said() -> None:
    story = Story()
    assert words(e.OrderExpired(story.now, "nobody"), story.state) is None


def test_what_shows_on_the_screen_is_not_said() -> None:
    story = Story()
    story.opened()
    story.tell(Trouble("BREAKER", "venue", "down", blocks=True))
    story.tell(Trouble("BREAKER", "venue", "", blocks=True))
    silent = [event for event in story.events if type(event) not in SPOKEN]
    assert {e.OrderSubmitted, e.PositionPlanned, e.ProtectionChanged, e.AlertCured} <= {
        type(event) for event in silent
    }
    assert [words(event, story.state) for event in silent] == [None] * len(silent)
