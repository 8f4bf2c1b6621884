"""One event of the journal as a step of a timeline: in words, with what it answers."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.telling import entries_on
from engine.model import intent as i
from engine.model.counts import counted
from engine.model.limits import Charge
from engine.model.money import ZERO, grouped
from engine.model.order import Order
from engine.model.place import BreakEvenAt
from engine.model.request import Amend, Cancel, Lane, Query, Request, Submit
from engine.model.timeline import Step

Charges = Callable[[Request, int], tuple[Charge, ...]]
"""What the venue counts for a request that leaves at a time (nanoseconds)."""
Departures = Mapping[tuple[str, str], list[int]]
"""By kind of request and order: when this process let one leave (nanoseconds), oldest first."""

ASKERS = {
    "tui": "you, at the console",
    "do": "you, by a command",
    "cli": "you, by a command",
    "withdraw": "you",
}
"""Who asks under an id that begins so; another id stands for itself."""
BY = {"operator": "you", "entry": "the entry", "break-even": "you, to break-even"}


def asker(name: str) -> str:
    """Who asked, by the id of the intent."""
    head = name.partition("-")[0]
    return ASKERS.get(head, "the desk" if "/" in name else name)


def order_name(order: Order | None, name: str) -> str:
    """An order in short; by its id where it is not known."""
    if order is None:
        return f"order {name}"
    return f"{order.role.value} {order.side.value} {grouped(order.size)} {order.symbol}"


def at_price(price: Decimal | None, trigger: Decimal | None) -> str:
    """Where an order stands."""
    if trigger is not None:
        return f" trigger {grouped(trigger)}"
    return "" if price is None else f" at {grouped(price)}"


class Teller:
    """Tells events in their order, and remembers what it needs of them for the next."""

    def __init__(
        self,
        charges: Charges | None,
        left: Departures,
        known: Callable[[str], Order | None] = lambda name: None,
    ) -> None:
        """`known` tells the orders that were not seen being submitted."""
        self.orders: dict[str, Order] = {}
        self._asked: dict[tuple[str, str], int] = {}
        """By kind of request and order: when the last one was decided."""
        self._touched: dict[str, int] = {}
        self._charges = charges
        self._left = left
        self._known = known

    def step(self, seq: int, event: e.AnyEvent) -> Step | None:
        """The step that an event is; None for one that nobody needs to read."""
        told = self._order_step(event) or self._position_step(event)
        if told is None:
            return None
        kind, text, about, tone = told
        step = Step(event.at, kind, text, seq, about, tone=tone)
        return self._completed(step, event)

    # Orders

    def _order_step(self, event: e.AnyEvent) -> tuple[str, str, str, str] | None:
        match event:
            case e.OrderSubmitted(order=order) | e.OrderRecovered(order=order):
                self.orders[order.client_order_id] = order
                words = f"place {order_name(order, '')}{at_price(order.price, order.trigger)}"
                if isinstance(event, e.OrderRecovered):
                    words = f"found at the venue: {words.removeprefix('place ')}"
                return "request", words, order.client_order_id, "busy"
            case e.AmendAsked(order=name):
                size = "" if event.size is None else f" size {grouped(event.size)}"
                where = at_price(event.price, event.trigger)
                return "request", f"amend {self._name(name)} to{size}{where}", name, "busy"
            case e.CancelAsked(order=name, reason=reason):
                why = f" ({reason})" if reason else ""
                return "request", f"cancel {self._name(name)}{why}", name, "busy"
            case e.QuestionAsked(order=name):
                return "request", f"ask the venue about {self._name(name)}", name, "busy"
            case e.OrderAccepted(order=name, venue_order_id=venue):
                return "answer", f"confirmed {self._name(name)} as {venue}", name, "good"
            case e.OrderRejected(order=name, text=text):
                return "answer", f"rejected {self._name(name)}: {text}", name, "bad"
            case e.OrderAmended(order=name):
                self._amend(name, event)
                where = at_price(event.price, event.trigger)
                text = f"amended {self._name(name)}: size {grouped(event.size)}{where}"
                return "answer", text, name, "good"
            case e.AmendRefused(order=name, text=text):
                return "answer", f"refused to amend {self._name(name)}: {text}", name, "bad"
            case e.CancelRefused(order=name, text=text):
                return "answer", f"refused to cancel {self._name(name)}: {text}", name, "bad"
            case e.OrderCancelled(order=name, text=text):
                why = f": {text}" if text else ""
                return "answer", f"cancelled {self._name(name)}{why}", name, "plain"
            case e.OrderExpired(order=name):
                return "answer", f"expired {self._name(name)}", name, "plain"
            case e.OrderTriggered(order=name):
                return "answer", f"triggered {self._name(name)}", name, "busy"
            case _:
                return self._doubt_step(event)

    def _doubt_step(self, event: e.AnyEvent) -> tuple[str, str, str, str] | None:
        match event:
            case e.OutcomeUnknown(order=name, request=request, text=text):
                said = f"{request} of {self._name(name)}: no answer ({text})"
                return "doubt", said, name, "bad"
            case e.QuestionFailed(order=name):
                return "doubt", f"the question about {self._name(name)} failed", name, "bad"
            case e.AbsenceTold(order=name):
                return "doubt", f"the venue does not know {self._name(name)} (yet)", name, "bad"
            case e.EndTold(order=name):
                said = f"the venue says {self._name(name)} is over, nothing filled (yet)"
                return "doubt", said, name, "busy"
            case e.DoubtEnded(order=name):
                return "doubt", f"{self._name(name)}: the outcome is known", name, "good"
            case e.FillDoubted(fill=fill):
                said = f"an execution of {grouped(fill.size)} may be told twice: asking"
                return "doubt", said, fill.client_order_id, "bad"
            case e.FillRepeated(order=name, execution=execution):
                return "doubt", f"execution {execution} was told before", name, "plain"
            case _:
                return None

    def _amend(self, name: str, event: e.OrderAmended) -> None:
        """From now on it is called by its new terms."""
        known = self.orders.get(name)
        if known is not None:
            self.orders[name] = replace(
                known, size=event.size, price=event.price, trigger=event.trigger
            )

    def _name(self, name: str) -> str:
        return order_name(self.orders.get(name) or self._known(name), name)

    # Positions

    def _position_step(self, event: e.AnyEvent) -> tuple[str, str, str, str] | None:
        match event:
            case e.IntentTaken(intent=intent, answer=answer):
                asked = words_of(intent)
                if answer.refusals:
                    why = "; ".join(refusal.text for refusal in answer.refusals)
                    return "refused", f"{asked}: refused: {why}", answer.created, "bad"
                said = f": {answer.text}" if answer.text else ""
                return "asked", f"{asked}{said}", answer.created, "plain"
            case e.PositionPlanned(position=position):
                text = f"planned {position.side.value} {position.symbol} as {position.id}"
                return "decided", text, position.id, "plain"
            case e.OrderFilled(fill=fill) | e.FillSettled(fill=fill):
                fee = f", fee {grouped(fill.fee)} {fill.fee_currency}, {fill.liquidity.value}"
                text = f"filled {fill.side.value} {grouped(fill.size)} {fill.symbol}"
                text += f" at {grouped(fill.price)}{fee}"
                return "fill", text, fill.client_order_id or fill.position, "good"
            case e.PositionLiquidated(fill=fill):
                text = f"liquidated {grouped(fill.size)} {fill.symbol} at {grouped(fill.price)}"
                return "fill", text, fill.position, "bad"
            case e.HoldingAdjusted(fill=fill):
                text = f"booked {fill.side.value} {grouped(fill.size)} as done elsewhere"
                return "fill", text, fill.position, "plain"
            case e.StopMoved(position=name, stop=stop, by=by, reason=reason):
                why = f" because {reason}" if reason else ""
                where = "removed" if stop is None else f"→ {grouped(stop)}"
                return "stop", f"stop {where}, by {BY.get(by, by)}{why}", name, "plain"
            case e.TrailFollowed(position=name, stop=stop, best=best):
                return "stop", f"stop → {grouped(stop)}, by the trail at {grouped(best)}", name, ""
            case e.StopCrossed(position=name, since=since):
                text = "the price is through the stop" if since else "the price is back"
                return "stop", text, name, "busy"
            case e.StopRetrySet(position=name, refusals=count, retry_at=at) if at is not None:
                return "stop", f"refused {counted(count, 'time')}: tried again later", name, "bad"
            case _:
                return _rest(event)

    # What it answers

    def _completed(self, step: Step, event: e.AnyEvent) -> Step:
        """With who asked, lane, tokens and wait of a request, and the time that an answer took."""
        who = asker(event.intent.id) if isinstance(event, e.IntentTaken) else ""
        lane, tokens, waited, took = "", "", None, None
        request = self._request(event)
        if request is not None:
            kind = type(request).__name__.lower()
            self._asked[kind, step.about] = event.at
            own = getattr(request, "lane", Lane.QUERY)
            lane = own.name.lower()
            if self._charges is not None:
                charges = self._charges(request, event.at)
                tokens = ", ".join(f"{cost:.0f} {name}" for name, cost in charges if cost)
            waited = self._waited(kind, step.about, event.at)
        else:
            took = self._took(event, step.about)
        tone = step.tone or "plain"
        return Step(
            step.at, step.kind, step.text, step.seq, step.about, who, lane, tokens, waited, took, 0,
            tone,
        )  # fmt: skip

    def _request(self, event: e.AnyEvent) -> Request | None:
        match event:
            case e.OrderSubmitted(order=order, lane=lane):
                self._touched[order.client_order_id] = event.at
                return Submit(order, lane)
            case e.AmendAsked(order=name, lane=lane):
                touched = self._touched.get(name, 0)
                return Amend(name, self._symbol(name), lane, touched_at=touched)
            case e.CancelAsked(order=name, lane=lane):
                touched = self._touched.get(name, 0)
                return Cancel(name, self._symbol(name), lane, None, touched)
            case e.QuestionAsked(order=name):
                return Query(name, self._symbol(name))
            case e.OrderAmended(order=name):
                self._touched[name] = event.at
        return None

    def _symbol(self, name: str) -> str:
        order = self.orders.get(name)
        return "" if order is None else order.symbol

    def _waited(self, kind: str, name: str, at: int) -> int | None:
        left = next((one for one in self._left.get((kind, name), ()) if one >= at), None)
        return None if left is None else left - at

    def _took(self, event: e.AnyEvent, name: str) -> int | None:
        kinds: tuple[str, ...] = ()
        match event:
            case e.OrderAccepted() | e.OrderRejected() | e.OrderFilled():
                kinds = ("submit",)
            case e.OrderAmended() | e.AmendRefused():
                kinds = ("amend",)
            case e.OrderCancelled() | e.CancelRefused():
                kinds = ("cancel",)
            case e.DoubtEnded() | e.AbsenceTold():
                kinds = ("query",)
        asked = [self._asked[kind, name] for kind in kinds if (kind, name) in self._asked]
        return event.at - max(asked) if asked else None


def _rest(event: e.AnyEvent) -> tuple[str, str, str, str] | None:
    """What happens to a position beside its stop and its fills."""
    match event:
        case e.BreakEvenSet(position=name, rule=rule, by=by):
            return "stop", _rule(rule, by), name, "good" if by == "fired" else "plain"
        case e.TrailSet(position=name, trail=trail, following=following):
            how = "off" if trail is None else "follows" if following else "waits for its profit"
            return "trail", f"trail {how}", name, "plain"
        case e.ClosingBegan(position=name, size=size, reason=reason):
            return "closing", f"closing {grouped(size)}: {reason}", name, "busy"
        case e.CloseEnded(position=name, missed=missed):
            why = "missed its price" if missed else "ended unfilled"
            return "closing", f"the close {why}", name, "bad"
        case e.ProtectionChanged(position=name, protection=protection):
            word = "LOCAL" if protection.value == "guarded" else protection.value.upper()
            bad = word in ("NAKED", "PARTIAL")
            return "protection", f"protection {word}", name, "bad" if bad else "good"
        case e.DustLeft(position=name, dust=dust) if dust:
            return "end", "what is left is below what the venue trades", name, "plain"
        case e.PositionClosed(position=name, reason=reason):
            return "end", f"closed by {reason}", name, "plain"
        case e.PositionDropped(position=name):
            return "end", "ended without a fill", name, "plain"
        case e.PositionNoted(position=name, note=note, tags=tags):
            words = " ".join((note, *(f"#{tag}" for tag in tags))).strip()
            return "decided", f"note: {words}", name, "plain"
        case e.ReverseWanted(position=name, then=then):
            text = "no reversal any more" if then is None else "the other side opens once closed"
            return "decided", text, name, "plain"
        case _:
            return _leaving(event)


def _leaving(event: e.AnyEvent) -> tuple[str, str, str, str] | None:
    """At which prices a position is to leave."""
    match event:
        case e.TargetMoved(position=name, target=target, by=by):
            where = "removed" if target is None else f"→ {grouped(target)}"
            return "target", f"target {where}, by {BY.get(by, by)}", name, "plain"
        case e.GoalsSet(position=name, goals=goals):
            parts = ", ".join(f"{goal.part:.0%} at {grouped(goal.price)}" for goal in goals)
            return "target", f"targets of parts: {parts or 'none'}", name, "plain"
        case e.LimitsSet(position=name, limits=limits):
            words = ", ".join(f"{grouped(one.left)} at {grouped(one.price)}" for one in limits)
            return "position", f"leaves at limits: {words or 'none'}", name, "plain"
        case e.GoalReached(position=name, size=size):
            return "target", f"target of a part reached: {grouped(size)} leaves", name, "good"
        case _:
            return _alert(event)


def _rule(rule: BreakEvenAt | None, by: str) -> str:
    """What became of a break-even rule."""
    if rule is None:
        return "break-even rule fired" if by == "fired" else "break-even rule removed"
    if by == "later":
        return f"the stop can't stand at break-even yet; waits for {grouped(rule.price)}"
    return f"break-even rule at {grouped(rule.price)}, by {BY.get(by, by)}"


def _alert(event: e.AnyEvent) -> tuple[str, str, str, str] | None:
    match event:
        case e.AlertRaised(alert=alert):
            again = f" (×{alert.count})" if alert.count > 1 else ""
            return "alert", f"{alert.severity.name} {alert.text}{again}", alert.target, "bad"
        case e.AlertCured(key=key):
            code, _, about = key.partition(":")
            return "alert", f"{code} resolved", about, "good"
        case e.AlertAcknowledged(key=key):
            code, _, about = key.partition(":")
            return "alert", f"{code} acknowledged", about, "plain"
        case e.PriceAlertSet(alert=alert):
            return "alert", f"waits for {alert.symbol} {alert.told}", alert.id, "plain"
        case e.PriceAlertEnded(alert=name):
            return "alert", "the price is waited for no longer", name, "plain"
        case _:
            return _account(event)


def _account(event: e.AnyEvent) -> tuple[str, str, str, str] | None:
    match event:
        case e.Financed(currency=currency, shares=shares):
            paid = ", ".join(f"{amount:+.2f}" for amount in shares.values())
            return "money", f"funding {paid} {currency}", "", "plain"
        case e.IntentWithdrawn(intent=name):
            return "asked", f"{name} was taken back", "", "plain"
        case e.FlattenBegan():
            return "decided", "everything is being closed", "", "busy"
        case e.FlattenEnded(receipt=receipt):
            return "end", receipt[0] if receipt else "flat", "", "good"
        case e.EntriesBlocked(text=text):
            return "decided", f"entries off: {text}", "", "bad"
        case e.EntriesAllowed(code=code):
            return "decided", entries_on(code), "", "good"
        case e.HaltSet(halted=halted):
            return "decided", "halted by you" if halted else "the halt has ended", "", "plain"
        case _:
            return None


def words_of(intent: i.AnyIntent) -> str:
    """What was asked, in short: the kind of intent in words."""
    name = type(intent).__name__
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    match intent:
        case i.OpenBracket(symbol=symbol, side=side):
            return f"{side.value} {symbol}"
        case i.ClosePosition(size=None, part=part):
            return "close" if part == 1 else f"close {part:.0%}"
        case i.ClosePosition(size=size):
            return f"close {grouped(size or ZERO)}"
        case i.LeaveAt(price=price):
            return "close at " + ("the market's price" if price is None else grouped(price))
        case i.AmendOrder(price=price, size=size):
            place = "" if price is None else f" to {grouped(price)}"
            return f"amend order{place}" + ("" if size is None else f", size {grouped(size)}")
        case _:
            return spaced
