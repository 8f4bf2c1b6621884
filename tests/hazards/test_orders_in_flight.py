"""Orders in flight: always in one place, told apart by type and not by words, never forgotten,
found by the id that they were sent under.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.clock import SECOND
from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.desk.state import State
from engine.exchange import Delay, Exchange, Faults
from engine.gateway import GatewayRules
from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import client_order_id
from engine.model.order import OrderType, Status
from engine.model.request import Lane, Query, Request, Submit
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError
from tests.support.line import Office, in_office, submit
from tests.support.world import BTC, Story, World, play

D = Decimal
LIMIT = OrderType.LIMIT


# H01: one place at every instant


def _eventful() -> Story:
    """A desk that has seen orders end in every way there is, and one come back after its end."""
    story = Story("kraken-futures")
    position = story.opened("0.5", target=i.Away(D("0.02")))
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.amended(story.order("stop"))
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"))
    for order in story.orders("stop") + story.orders("target"):
        story.cancelled(order)
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1", "59000")
    story.ask(i.CancelOrder(id="x", order=entry.client_order_id))
    late = story.fill_of(entry, "0.4", "59000")
    story.cancelled(entry)
    story.tell(r.Filled(late, story.now))
    story.confirm(late)
    assert story.now_of(entry).status is Status.FILLED, "the fill came after the cancellation"
    story.buy("0.2", type=LIMIT, price=D(58_000))
    story.rejected(story.order("entry"))
    story.buy("0.2", type=LIMIT, price=D(58_000), expires_in=5 * SECOND)
    lapsing = story.order("entry")
    story.accept(lapsing)
    story.tell(r.Expired(lapsing.client_order_id, D(0), story.now))
    return story


def _places(state: State, name: str) -> int:
    return sum((name in state.orders, name in state.ended))


@pytest.mark.hazard("H01")
def test_after_each_event_every_order_is_in_exactly_one_place() -> None:
    story = _eventful()
    ends = {story.now_of(event.order).status for event in story.seen(e.OrderSubmitted)}
    assert ends >= {Status.FILLED, Status.CANCELLED, Status.REJECTED, Status.EXPIRED}
    state, known = State("test", "USD"), set[str]()
    for event in story.events:
        evolve(state, event)
        if isinstance(event, e.OrderSubmitted):
            known.add(event.order.client_order_id)
        for name in known:
            order = state.order(name)
            assert _places(state, name) == 1, f"{name} after {type(event).__name__}"
            assert order is not None
            assert order.is_open is (name in state.orders)
            assert (name in state.orders_of.get(order.position, ())) is order.is_open
    assert len(known) > 6


@pytest.mark.hazard("H01")
def test_an_order_that_ends_while_others_look_is_placed_once(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        missing: list[str] = []

        def look(report: r.VenueReport) -> None:
            """Whoever looks while the venue speaks, before and after the desk has heard it."""
            sent = [event.order.client_order_id for event in world.seen(e.OrderSubmitted)]
            missing.extend(name for name in sent if _places(world.state, name) != 1)
            missing.extend(
                order.client_order_id
                for order in world.exchange.orders.values()
                if world.state.order(order.client_order_id) is None
            )

        world.exchange.on_report.append(look)
        for turn in range(6):
            world.price(BTC, "60000")
            position = await world.opened("0.1", target=i.Away(D("0.01")))
            world.engine.reconcile()
            if turn % 2:
                world.price(BTC, "59300")
            else:
                await world.ask(i.ClosePosition(id=f"c{turn}", position=position.id))
            world.engine.reconcile()
            await world.until(lambda: not world.state.positions)
        assert missing == []
        sent = [event.order for event in world.seen(e.OrderSubmitted)]
        assert len([order for order in sent if order.role.value == "entry"]) == 6, (
            "none was taken for lost and placed again"
        )
        assert world.held == 0
        assert world.told().isdisjoint(
            {"DIFFERENCE", "UNKNOWN_ORDER", "ILLEGAL_REPORT", "OVER_CLOSED"}
        )

    play(
        tale,
        tmp_path,
        profile="kraken-futures",
        delay=Delay(20_000_000, 60_000_000),
        values={"risk.losing_streak": 0},
    )


# H13: what a report is, is its type; its words are only shown

Told = (
    type[r.Rejected]
    | type[r.CancelRejected]
    | type[r.AmendRejected]
    | type[r.Cancelled]
    | type[r.Unknown]
)

WORDS = (
    "",
    "EOrder:Unknown order",
    "unknown order",
    "UNKNOWN ORDER",
    "EOrder:Rate limit exceeded",
    "timeout: the order was filled",
    "duplicate cl_ord_id is in use by an open order",
    "EOrder:Insufficient funds",
    "Nothing happened. Order FILLED, cancelled, expired",
)


def _shape(story: Story) -> object:
    """All that a desk has come to, but for the words."""
    orders = [
        (order.client_order_id, order.status, order.in_doubt, order.cancel_pending)
        for order in story.state.orders.values()
    ]
    ended = [(order.client_order_id, order.status) for order in story.state.ended.values()]
    doubts = [(name, doubt.request) for name, doubt in story.state.doubts.items()]
    return (
        orders,
        ended,
        doubts,
        story.standing(),
        [type(event).__name__ for event in story.events],
        [type(request).__name__ for request in story.requests],
    )


def _told(report: Told, text: str, flag: bool) -> object:
    story = Story()
    position = story.opened("0.5")
    story.buy("0.1", type=LIMIT, price=D(59_000))
    entry, stop = story.order("entry"), story.order("stop")
    if report is r.Rejected:
        story.tell(r.Rejected(entry.client_order_id, text, story.now, duplicate=flag))
    elif report is r.AmendRejected:
        story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
        story.tell(r.AmendRejected(stop.client_order_id, text, story.now, withdrawn=flag))
    else:
        story.accept(entry)
        story.ask(i.CancelOrder(id="x", order=entry.client_order_id))
        if report is r.CancelRejected:
            story.tell(r.CancelRejected(entry.client_order_id, text, story.now, gone=flag))
        elif report is r.Cancelled:
            story.tell(r.Cancelled(entry.client_order_id, D(0), text, story.now))
        else:
            story.tell(r.Unknown(entry.client_order_id, "cancel", text, story.now))
    return _shape(story)


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    "report", [r.Rejected, r.CancelRejected, r.AmendRejected, r.Cancelled, r.Unknown]
)
@pytest.mark.parametrize("flag", [False, True])
def test_the_words_of_a_report_decide_nothing(report: Told, flag: bool) -> None:
    plain = _told(report, "plain words", flag)
    for text in WORDS:
        assert _told(report, text, flag) == plain, text


@pytest.mark.hazard("H13")
@pytest.mark.parametrize("report", [r.Rejected, r.CancelRejected, r.AmendRejected])
def test_what_words_must_not_say_a_field_says(report: Told) -> None:
    assert _told(report, "the same words", flag=False) != _told(report, "the same words", flag=True)


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    "text",
    ["Rate limit exceeded", "ETIMEDOUT", "timed out", "order accepted", "never sent", "unknown"],
)
def test_an_error_of_the_line_is_told_by_its_class(text: str) -> None:
    async def tale(office: Office) -> None:
        office.line.answers.extend([OutcomeUnknownError(text)])
        office.gateway.enqueue([submit("lost")])
        await office.idle()
        assert [type(report) for report in office.reports] == [r.Unknown]
        assert office.names == ["lost"], (
            "what may have arrived is never repeated, whatever the words are"
        )
        assert office.limited == []
        office.line.answers.extend([NotSentError(text)])
        office.gateway.enqueue([submit("unsent")])
        await office.idle()
        assert office.names == ["lost", "unsent", "unsent"], "what provably never left is repeated"
        assert isinstance(office.reports[-1], r.Accepted)
        office.line.answers.extend([RateLimitedError(text)])
        office.gateway.enqueue([submit("refused")])
        await office.idle()
        assert office.names[3:] == ["refused", "refused"]
        assert office.limited == [text]
        assert office.deaths == []
        office.line.answers.extend([ConnectionResetError(text)])
        office.gateway.enqueue([submit("strange")])
        await office.idle()
        assert isinstance(office.reports[-1], r.Unknown), (
            "an error that nobody knows is an unknown outcome, never a 'no'"
        )
        assert office.names[5:] == ["strange"]
        assert len(office.deaths) == 1

    in_office(tale, rules=GatewayRules(delay=0.0, backoff=0.01))


# H15: followed until it is over

HOUR = 3600


@pytest.mark.hazard("H15")
def test_an_order_is_followed_for_hours_and_across_restarts(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        answer = await world.buy("0.5", type=LIMIT, price=D(59_000), target=i.Away(D("0.05")))
        for crash in (False, True):
            await world.clock.sleep(2 * HOUR * SECOND)
            await world.restart(crash=crash)
        await world.clock.sleep(2 * HOUR * SECOND)
        (entry,) = world.orders("entry")
        assert entry.is_working
        assert [order.client_order_id for order in world.resting] == [entry.client_order_id]
        world.price(BTC, "58900", "58950")
        await world.until(lambda: bool(world.orders("stop")) and world.orders("stop")[0].is_working)
        assert world.state.positions[answer.created].size == D("0.5")
        assert world.held == D("0.5")
        assert [order.role.value for order in world.resting] == ["stop"]

    play(tale, tmp_path, values={"requests.reconcile": 1800.0})


@pytest.mark.hazard("H15")
def test_an_unknown_outcome_is_asked_for_as_long_as_nobody_answers() -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    answered = 0
    for _ in range(3 * HOUR // 60):
        story.wait(60)
        for query in story.sent(Query)[answered:]:
            story.tell(r.Unanswered(query.client_order_id, "no line", story.now))
        assert len(story.sent(Query)) > answered, "no minute goes by without a question"
        answered = len(story.sent(Query))
    assert story.order("entry").in_doubt
    assert "UNKNOWN_OUTCOME" in story.standing()
    assert len([one for one in story.sent(Submit) if not one.order.is_exit]) == 1
    story.fill(entry)
    assert story.position().size == D("0.5")
    assert story.order("stop").size == D("0.5")


@pytest.mark.hazard("H15")
def test_an_exit_that_the_venue_refuses_all_day_is_still_tried() -> None:
    story = Story()
    story.opened("0.5")
    story.cancelled(story.order("stop"), "by the venue")
    for _ in range(2 * HOUR // 60):
        story.wait(60)
        refused = [order for order in story.orders("stop") if order.status is Status.PENDING]
        assert len(refused) == 1, "there is always one on its way"
        story.rejected(refused[0], "EService:Unavailable")
    assert "STOP_REFUSED" in story.standing()
    story.wait(60)
    story.accept(story.order("stop"))
    assert story.position().protection.value == "venue"
    assert "STOP_REFUSED" not in story.standing()


# H18: the way back goes by the id of the way there


class Deaf:
    """A desk before the real matching engine, of whose answers nothing is heard but those to a
    question about one order.
    """

    def __init__(self, profile: str) -> None:
        self.story = Story(profile)
        instruments = tuple(self.story.state.instruments.values())
        self.exchange = Exchange(self.story.profile, instruments, {"USD": D(1_000_000)}, "USD")
        for quote in self.story.board.quotes():
            self.exchange.on_tick(quote)
        self.carried = 0

    def carry(self) -> Iterator[Request]:
        """What the desk has asked for since: it reaches the venue, which acts on it."""
        fresh = self.story.requests[self.carried :]
        self.carried = len(self.story.requests)
        for request in fresh:
            reports = self.exchange.handle(request, self.story.now)
            assert isinstance(reports, tuple)
            if isinstance(request, Query):
                for report in reports:
                    self.story.tell(report)
            yield request

    def lose(self) -> list[str]:
        """Everything under way reaches the venue, and no reply comes back: only the outcome is
        unknown.
        """
        lost = []
        for request in self.carry():
            if isinstance(request, Submit):
                name = request.order.client_order_id
                lost.append(name)
                self.story.tell(r.Unknown(name, "submit", "the reply was lost", self.story.now))
        return lost

    def recover(self) -> list[str]:
        """Ask, until nothing is in doubt; the ids that were asked for."""
        asked: list[str] = []
        for _ in range(20):
            self.story.wait(0.5)
            asked += [
                request.client_order_id for request in self.carry() if isinstance(request, Query)
            ]
            if not self.story.state.doubts:
                return asked
        raise AssertionError(self.story.state.doubts)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures", "binance-spot"])
def test_each_order_is_recovered_by_the_id_it_was_submitted_under(profile: str) -> None:
    deaf = Deaf(profile)
    story = deaf.story
    story.buy("0.5", target=i.Away(D("0.02")))
    lost = deaf.lose()
    assert len(lost) == 1
    assert not story.state.positions[story.seen(e.PositionPlanned)[0].position.id].is_open, (
        "nothing was heard"
    )
    assert set(deaf.recover()) == set(lost), "asked for under the very id that went out"
    assert story.state.ended[lost[0]].filled == D("0.5"), "the fill came with the answer"
    assert [fill.execution_id for fill in deaf.exchange.fills] == list(story.state.executions)
    exits = deaf.lose()
    if exits:
        assert set(deaf.recover()) == set(exits)
    working = {order.client_order_id: order for order in story.state.orders.values()}
    assert "stop" in {order.role.value for order in working.values()}
    assert set(working) == set(deaf.exchange.orders), "as the venue has them, and no second one"
    for name, order in working.items():
        theirs = deaf.exchange.orders[name]
        assert (order.venue_order_id, order.size, order.trigger, order.price) == (
            theirs.venue_order_id,
            theirs.size,
            theirs.trigger,
            theirs.price,
        )
        assert order.is_working
    story.replays()


@pytest.mark.hazard("H18")
def test_the_id_that_the_venue_looks_up_is_the_clients_and_no_other() -> None:
    deaf = Deaf("kraken-spot")
    deaf.story.buy("0.5", type=LIMIT, price=D(59_000))
    (name,) = deaf.lose()
    theirs = deaf.exchange.orders[name]
    assert theirs.venue_order_id not in (None, name)
    now = deaf.story.now
    (found,) = _asked(deaf, name, now)
    assert isinstance(found, r.Found)
    assert found.order.client_order_id == name
    for wrong in (theirs.venue_order_id or "", theirs.position, name.lower(), name[:-1], ""):
        now += 10 * SECOND  # questions are counted
        (absent,) = _asked(deaf, wrong, now)
        assert isinstance(absent, r.Absent), wrong
    deaf.exchange.cancel(name, now)
    (ended,) = _asked(deaf, name, now)
    assert isinstance(ended, r.Found), "also once it is over: by the same id"
    assert ended.order.status is Status.CANCELLED


def _asked(deaf: Deaf, name: str, now: int) -> tuple[r.VenueReport, ...]:
    reports = deaf.exchange.handle(Query(name, BTC, Lane.PROTECT), now)
    assert isinstance(reports, tuple)
    return reports


@pytest.mark.hazard("H18")
def test_ids_are_unique_and_in_a_form_that_the_venue_takes() -> None:
    names = [
        client_order_id(account, intent, leg, version)
        for account in "ab"
        for intent in "xy"
        for leg in ("entry", "stop")
        for version in (1, 2, 11)
    ]
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name) <= 18
        assert name.isalnum()
        assert name.isascii()


@pytest.mark.hazard("H18")
def test_a_crash_before_the_reply_finds_the_order_by_its_id(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.venue.faults = Faults(lose_reply=1.0)
        await world.buy("0.5", type=LIMIT, price=D(59_000))
        (entry,) = world.orders("entry")
        while not world.resting:
            await world.clock.sleep(SECOND // 1000)
        await world.engine.abandon()  # the venue has it, and not a word of that has reached us
        world.engine.journal.close(0)
        assert world.state.orders[entry.client_order_id].status is Status.PENDING
        world.venue.faults = Faults()
        await world.open()
        await world.wait(3)
        (found,) = world.orders("entry")
        (resting,) = world.resting
        assert found.client_order_id == resting.client_order_id == entry.client_order_id
        assert found.venue_order_id == resting.venue_order_id
        assert found.is_working
        assert [event.order for event in world.seen(e.QuestionAsked)][:1] == [entry.client_order_id]

    play(tale, tmp_path)
