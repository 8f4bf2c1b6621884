"""What the last exit says at the end, line by line, and what it writes down for whoever comes after
it.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.account import mark as marks
from engine.emergency.gathering import Gathering
from engine.emergency.holding import Left
from engine.emergency.marking import Marker
from engine.emergency.sending import Sender, Sent
from engine.emergency.telling import describe
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.venues.parts import Holdings, Row, Working
from tests.emergency.test_holding import AT, Heap
from tests.support.gates import open_gate
from tests.support.world import BTC, SECOND

D = Decimal
MINE = client_order_id("main", "i", "leg", 1)
pytestmark = [pytest.mark.hazard("H73")]


class End:
    """A run that is over, as its lines are worked out from."""

    def __init__(self, profile: str = "kraken-spot") -> None:
        self.heap = Heap(profile)
        self.told: Gathering = self.heap.gathering()
        clock, budget = self.told._clock, self.told._budget
        self.sender = Sender(
            self.heap.venue, "main", open_gate(), budget, self.told, None, clock, 0, lambda _: None
        )
        self.lefts: list[Left] = []

    def left(self, on_margin: bool = False, **sizes: str) -> None:
        names = ("ours", "closable", "dust", "beyond", "alone", "missing")
        ours, closable, dust, beyond, alone, missing = (D(sizes.get(name, "0")) for name in names)
        self.lefts.append(
            Left(
                self.heap.instruments[BTC],
                on_margin,
                ours,
                closable,
                dust,
                beyond,
                alone,
                missing,
                D(0),
            )
        )

    def rows(self, *rows: Row) -> None:
        self.told.working = Working(AT, rows)

    def lines(self, *, flat: bool = False, coins: bool = True) -> list[str]:
        return describe(self.lefts, self.told, self.sender, 3 * SECOND // 2, flat=flat, coins=coins)


UNKNOWN = (
    f"unattributable: nothing says whether it is ours; `flatout flatten --yes --all-of {BTC}`"
    " closes it, too"
)
NOBODY = "nobody watches this now: look at it at the venue, and run `flatout flatten --yes` again"


def test_flat_is_one_line_with_what_was_done() -> None:
    end = End()
    end.sender.closed, end.sender.cancelled = 2, 3
    assert end.lines(flat=True) == [
        "the venue says flat: 2 closes sent, 3 orders cancelled, in 1.5 s"
    ]


def test_nothing_seen_and_no_proof_is_not_flat() -> None:
    assert End().lines() == [
        "NOT FLAT: 0 closes sent, 0 orders cancelled, in 1.5 s",
        "nothing of ours was seen any more, but no two pictures agreed in time",
        NOBODY,
    ]


def test_what_is_held_is_named_with_what_protects_it_and_why_it_was_not_closed() -> None:
    end = End()
    end.left(closable="0.4")
    assert end.lines()[1:] == [
        f"{BTC}: still held: 0.4 of ours; NAKED: no stop rests at the venue",
        NOBODY,
    ]
    end.sender.refusals[BTC] = "EOrder:no"
    assert (
        end.lines()[1]
        == f"{BTC}: still held: 0.4 of ours; NAKED: no stop rests at the venue; EOrder:no"
    )
    end.rows(Row("V1", MINE, BTC, None, "stop sell 0.4"))
    assert end.lines()[1:3] == [
        f"{BTC}: still held: 0.4 of ours; a stop rests at the venue; EOrder:no",
        f"{BTC}: our order rests: stop sell 0.4 (V1)",
    ]
    end.rows(Row("V1", MINE, "ETH/USD", None, ""))
    assert "NAKED" in end.lines()[1]
    assert end.lines()[2] == f"ETH/USD: our order rests: {MINE} (V1)"


def test_coins_that_another_process_may_still_sell_are_not_sold_and_contracts_are() -> None:
    why = "another process may still send for this account: coins are not sold"
    end = End()
    end.left(closable="0.4")
    assert end.lines(coins=False)[1].endswith(why)
    assert why not in end.lines(coins=True)[1]
    contract = End("kraken-futures")
    contract.left(True, closable="0.4")
    assert why not in contract.lines(coins=False)[1]


def test_what_is_nobodys_anothers_small_or_gone_has_its_own_line() -> None:
    end = End()
    end.left(beyond="0.5", alone="1", dust="0.00001", missing="0.2")
    assert end.lines(flat=True)[1:] == [
        f"{BTC}: 0.5 BTC (about 30,000.00 USD) is {UNKNOWN}",
        f"{BTC}: 1 BTC is not ours and was left alone",
        f"{BTC}: 0.00001 is below what the venue trades and stays",
        f"{BTC}: 0.2 that our books have is not at the venue",
    ]


def test_what_is_still_held_says_nothing_of_dust_and_of_what_is_missing() -> None:
    end = End()
    end.left(closable="0.4", dust="0.1", missing="0.2")
    assert len(end.lines(flat=True)) == 2


def test_what_is_missing_is_told_only_where_it_is_more_than_dust() -> None:
    for missing, told in (("0.1", False), ("0.11", True), ("-0.11", True)):
        end = End()
        end.left(dust="0.1", missing=missing)
        assert any("our books have" in line for line in end.lines()) is told


def test_a_contract_is_named_by_its_symbol_and_without_a_price_without_its_worth() -> None:
    end = End("kraken-futures")
    end.left(True, alone="1", beyond="-0.5")
    end.told._quotes.clear()
    assert end.lines(flat=True)[1:] == [
        f"{BTC}: -0.5 {BTC} is {UNKNOWN}",
        f"{BTC}: 1 {BTC} is not ours and was left alone",
    ]


def test_what_is_in_doubt_foreign_or_unanswered_has_its_own_line() -> None:
    end = End()
    order = Order(MINE, "", BTC, Side.SELL, OrderType.MARKET, Role.CLOSE, D(1))
    end.sender.unresolved[MINE] = Sent(order, 0)
    end.rows(Row("V2", "web", BTC, None, "buy 1"), Row("V3", "web", "", None, "?"))
    end.told.complaints["prices"] = "no answer in time"
    assert end.lines(flat=True)[1:] == [
        f"{BTC}: what became of our order {MINE} is not known",
        f"{BTC}: not ours, left alone: buy 1 (V2)",
        "an order: not ours, left alone: ? (V3)",
        "prices not answered: no answer in time",
    ]


# The mark


def sold(number: int, role: Role = Role.CLOSE, leverage: Decimal | None = None) -> Order:
    return Order(f"FO{number}", "", BTC, Side.SELL, OrderType.MARKET, role, D(1), leverage=leverage)


def test_a_mark_keeps_the_orders_of_the_one_before_and_tells_a_stop_from_a_close(
    tmp_path: Path,
) -> None:
    first = Marker(tmp_path, "i", "one", 1, lambda _: None)
    assert first.before is None
    first.begin()
    first.sends(sold(1))
    second = Marker(tmp_path, "j", "two", 2, lambda _: None)
    second.begin()
    second.sends(sold(2, Role.STOP, D(2)))
    written = marks.read(tmp_path)
    assert written is not None
    assert [(one.client_order_id, one.stop, one.leverage) for one in written.orders] == [
        ("FO1", False, None),
        ("FO2", True, D(2)),
    ]
    assert (written.instance, written.intent, written.pid, written.outcome) == (
        "two",
        "j",
        2,
        "working",
    )
    assert second.before is not None
    assert [one.client_order_id for one in second.before.orders] == ["FO1"]
    second.end("flat")
    ended = marks.read(tmp_path)
    assert ended is not None
    assert ended.outcome == "flat"


def test_a_mark_keeps_so_many_orders_and_lines_and_so_much_of_a_line(tmp_path: Path) -> None:
    marker = Marker(tmp_path, "i", "one", 1, lambda _: None)
    for number in range(61):
        marker.tells(f"{number} " + "x" * 500)
    assert (len(marker.mark.lines), marker.mark.lines[0][:2], len(marker.mark.lines[0])) == (
        60,
        "1 ",
        400,
    )
    marker.mark = replace(marker.mark, orders=tuple(_marked(number) for number in range(200)))
    marker.sends(sold(999))
    assert (
        len(marker.mark.orders),
        marker.mark.orders[0].client_order_id,
        marker.mark.orders[-1].client_order_id,
    ) == (200, "FO1", "FO999")


def _marked(number: int) -> marks.MarkedOrder:
    return marks.MarkedOrder(f"FO{number}", BTC, Side.SELL, D(1), 1)


def test_a_beat_is_written_and_a_mark_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    marker = Marker(tmp_path, "i", "one", 1, said.append)
    marker.begin()
    before = marks.read(tmp_path)
    marker.beat()
    after = marks.read(tmp_path)
    assert before is not None
    assert after is not None
    assert after.beat_at > before.beat_at
    assert said == []
    lost = Marker(tmp_path / "nowhere", "i", "one", 1, said.append)
    lost.begin()
    lost.beat()
    assert len(said) == 1
    assert said[0].startswith("the mark can't be written (")


@pytest.mark.hazard("H86")
def test_a_balance_that_nobody_could_read_is_named() -> None:
    end = End()
    end.told.holdings = Holdings(AT, {}, {}, ("SOL",))
    assert end.lines(flat=True)[1:] == [
        "SOL: nothing here trades it, and its balance can't be read"
    ]


@pytest.mark.parametrize("stops", [True, False])
def test_what_the_venue_takes_no_order_for_is_said_with_its_worth_and_its_stop(stops: bool) -> None:
    end = End()
    end.left(ours="0.1", dust="0")
    end.lefts = [replace(left, stuck=D("0.1")) for left in end.lefts]
    if stops:
        end.rows(Row("V1", MINE, BTC, None, "stop sell 0.1"))
    said = end.lines()[1]
    assert said.startswith(
        "BTC/USD: still held: 0.1 of ours (about 6,000.00 USD), below the 0.0000"
    )
    assert said.endswith("its stop was left" if stops else "NAKED: no stop rests at the venue")
