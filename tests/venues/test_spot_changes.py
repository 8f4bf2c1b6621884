"""What an exchange changes while we trade, and an account that holds more than what we trade."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.model import report as r
from engine.model.order import OrderType, Role
from engine.model.request import QueryAccount
from engine.model.side import Side
from engine.venues.live import terms
from engine.venues.live.known import Known
from engine.venues.live.kraken_spot.owners import TRIES, Owners
from engine.venues.live.kraken_spot.stream import PrivateStream
from engine.venues.live.socket import StreamError
from engine.venues.live.vetoes import Vetoes
from engine.venues.protocol import OutcomeUnknownError, RefusedError
from tests.venues.test_frames import spot
from tests.venues.test_spot_documented import BTC, Client, client

D = Decimal


def _finer(found: Client) -> None:
    """The venue believes in finer steps of the price than the exchange takes."""
    known = found.venue.traded(BTC)
    assert known is not None
    found.venue.listing[BTC] = replace(known, tick=known.tick / 10)


@pytest.mark.hazard("H21")
async def test_steps_that_have_changed_are_asked_for_when_an_order_does_not_fit(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        true = found.venue.traded(BTC)
        assert true is not None
        _finer(found)
        told = await found.send(found.order(type=OrderType.LIMIT, price=D("40000.03")))
        assert isinstance(told, r.Rejected)
        await found.until(lambda: found.told(r.Relisted))
        assert [report.instrument for report in found.told(r.Relisted)] == [true]
        assert found.venue.traded(BTC) == true


@pytest.mark.hazard("H21")
async def test_an_announcement_of_other_steps_is_enough_and_a_storm_of_them_is_one_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "AGAIN", 0.5)
    async with client(tmp_path) as found:
        before = len(found.asked("AssetPairs"))
        found.venue.terms.announced(BTC, D("0.1"), D("0.00000001"))
        found.venue.terms.announced("NEW/USD", D("7"), None)
        await asyncio.sleep(0.2)
        assert len(found.asked("AssetPairs")) == before, "they are the steps that are known"
        for _ in range(20):
            found.venue.terms.announced(BTC, D("1"), None)
        await asyncio.sleep(0.3)
        assert len(found.asked("AssetPairs")) == before + 1
        assert not found.told(r.Relisted), "the list says what it said"


@pytest.mark.hazard("H16")
async def test_numbers_that_begin_again_begin_the_stream_anew() -> None:
    """What was told under a smaller number is a repeat only where it is the same."""
    venue = spot()
    stream = PrivateStream(venue)
    stream._heard({"channel": "executions", "type": "snapshot", "data": [], "sequence": 7})
    first = {"channel": "executions", "type": "update", "data": [], "sequence": 8}
    stream._heard(first)
    stream._heard(dict(first))
    with pytest.raises(StreamError):
        stream._heard(
            {
                "channel": "executions",
                "type": "update",
                "data": [{"order_id": "O-1"}],
                "sequence": 1,
            }
        )


class Asked:
    """An exchange that knows some orders, and refuses a question about any other."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.questions: list[str] = []

    async def __call__(self, names: str) -> Mapping[str, Mapping[str, Any]]:
        self.questions.append(names)
        if not set(names.split(",")) <= set(self.known):
            raise RefusedError("EOrder:Unknown order")
        return {name: {"cl_ord_id": f"FO-{name}"} for name in names.split(",")}


@pytest.mark.hazard("H86")
async def test_one_order_that_the_exchange_does_not_know_hides_no_other() -> None:
    known, ask = Known(), Asked("A", "C", "D", "E")
    owners = Owners(known)
    for _ in range(5):
        await owners.learn(["A", "B", "C", "D", "E", ""], ask)
    assert [known.client_of(name) for name in "ABCDE"] == ["FO-A", None, "FO-C", "FO-D", "FO-E"]
    assert ask.questions.count("B") == TRIES, "views lag: it is asked for again, and not for ever"
    assert len(ask.questions) < 10, "halves, not one by one"


async def test_a_question_that_is_refused_for_another_reason_is_no_answer() -> None:
    async def refuses(_: str) -> Mapping[str, Mapping[str, Any]]:
        raise RefusedError("EAPI:Invalid key")

    with pytest.raises(RefusedError):
        await Owners(Known()).learn(["A"], refuses)


@pytest.mark.hazard("H85")
@pytest.mark.hazard("H86")
async def test_a_balance_without_an_amount_is_what_it_was_and_never_zero(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        venue = found.venue
        assert venue.rows.cash({"XETH": {"balance": "2"}, "ZUSD": {"balance": "5"}}) == {
            "ETH": 2,
            "USD": 5,
        }
        assert venue.rows.cash(
            {"XETH": {"balance": None}, "SOL": None, "ZUSD": {"balance": "6"}}
        ) == {
            "ETH": 2,
            "SOL": 0,
            "USD": 6,
        }
        assert len(found.noticed("ROW_SKIPPED")) == 2
        with pytest.raises(KeyError):  # what is traded is never guessed
            venue.rows.cash({"XXBT": {"hold_trade": "1"}, "ZUSD": {"balance": "6"}})


@pytest.mark.hazard("H86")
async def test_an_execution_of_somebody_else_that_cannot_be_read_hides_no_picture(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as found:
        venue, call = found.venue, found.venue.private_call

        async def odd(method: str, params: Mapping[str, Any], lane: int) -> Any:
            told = await call(method, params, lane)
            if method == "private_post_tradeshistory":
                return {
                    **told,
                    "trades": {
                        **told["trades"],
                        "T-1": None,
                        "T-2": {"ordertxid": "O-APP", "price": None},
                    },
                }
            return (
                {**told, "open": {**told["open"], "O-NULL": None}}
                if method == "private_post_openorders"
                else told
            )

        venue.private_call = odd  # type: ignore[method-assign]
        (picture,) = await venue.send(QueryAccount(0))
        assert isinstance(picture, r.Picture)
        assert {subject.partition(":")[0] for subject in found.noticed("ROW_SKIPPED")} == {
            "T-1",
            "T-2",
            "O-NULL",
        }
        venue.known.name("O-APP", f"{venue.prefix}ENTRY")
        with pytest.raises(Exception, match="can't be read"):  # of ours nothing is passed over
            await venue.send(QueryAccount(0))


async def _free(counter: str, cost: float) -> None:
    """Pay nothing."""


@pytest.mark.hazard("H86")
@pytest.mark.hazard("H113")
async def test_the_last_exit_is_told_what_is_ours_whatever_stands_beside_it(tmp_path: Path) -> None:
    """A coin that nobody trades here, an order and an execution of somebody else: one row without a
    field kept everything from being closed.
    """
    async with client(tmp_path) as found:
        venue, call = found.venue, found.venue.private_call
        odd: dict[str, dict[str, Any]] = {
            "private_post_balanceex": {"SOL": None, "ADA": {"balance": None}},
            "private_post_openorders": {"O-NULL": None},
        }

        async def strange(method: str, params: Mapping[str, Any], lane: int) -> Any:
            if params.get("txid") == "O-APP":
                raise RefusedError("EOrder:Unknown order")
            told = await call(method, params, lane)
            match method:
                case "private_post_tradeshistory":
                    return {
                        **told,
                        "trades": {**told["trades"], "T-2": {"ordertxid": "O-APP", "price": None}},
                    }
                case "private_post_openorders":
                    return {**told, "open": {**told["open"], **odd[method]}}
                case "private_post_balanceex":
                    return {**told, **odd[method]}
            return told

        venue.private_call = strange  # type: ignore[method-assign]
        parts = venue.parts()
        holdings = await parts.holdings(_free, on_margin=False)
        assert set(holdings.unread) == {"SOL", "ADA"}
        assert [row.venue_order_id for row in (await parts.working(_free)).rows] == ["O-NULL"]
        assert not (await parts.executions(0, "", _free)).fills
        venue.known.name("O-APP", f"{venue.prefix}ENTRY")
        venue.owners._refused.clear()
        with pytest.raises(OutcomeUnknownError):  # of ours nothing is passed over
            await parts.executions(0, "", _free)


@pytest.mark.hazard("H84")
async def test_an_optional_field_that_is_refused_vetoes_no_exit(tmp_path: Path) -> None:
    async with client(tmp_path) as found:
        venue, call = found.venue, found.venue.private_call

        async def strict(method: str, params: Mapping[str, Any], lane: int) -> Any:
            if method == "private_post_addorder" and (params.get("stptype") or "trigger" in params):
                raise RefusedError(
                    f"EGeneral:Invalid arguments:{'stptype' if 'stptype' in params else 'trigger'}"
                )
            return await call(method, params, lane)

        venue.private_call = strict  # type: ignore[method-assign]
        assert isinstance(await found.send(found.order()), r.Accepted)
        stop = found.order(Side.SELL, Role.STOP, type=OrderType.STOP, trigger=D("40000.0"))
        assert isinstance(await found.send(stop), r.Accepted), (
            "both fields are left out, one after the other"
        )
        sent = found.asked("AddOrder")[-1]
        assert not {"stptype", "trigger"} & sent.keys()
        assert venue.vetoes.without(venue.fields(stop)).keys() == venue.fields(stop).keys() - {
            "stptype",
            "trigger",
        }


def test_only_a_field_that_was_sent_and_may_be_missing_is_left_out() -> None:
    vetoes = Vetoes("stptype")
    assert not vetoes.names({"volume": "1", "stptype": "x"}, "EGeneral:Invalid arguments:volume")
    assert not vetoes.names({"volume": "1"}, "EGeneral:Invalid arguments:stptype")
    assert vetoes.names({"stptype": "x"}, "EGeneral:Invalid arguments:stptype")
    assert vetoes.without({"stptype": "x", "volume": "1"}) == {"volume": "1"}
