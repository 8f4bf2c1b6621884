"""What the exchange refuses, and in which words: keys, nonces, permissions, counters, and orders
that break a rule.
"""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from engine.model.limits import CANCEL_BY_AGE
from engine.wire.keys import PERMISSIONS, new_secret
from tests.support.wire import BTC, Wire, spot

MANY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "40000", "volume": "0.001"}


def used(wire: Wire, counter: str) -> float:
    """What a counter holds now."""
    model = wire.world.exchange.limits.counter(counter)
    model.settle(wire.world.now())
    return model.used


# Who asks


async def test_a_signature_by_another_secret_is_refused() -> None:
    async with spot() as wire:
        nonce = wire.nonce()
        told = await wire.signed("Balance", f"nonce={nonce}", nonce, secret=new_secret())
        assert told == {"error": ["EAPI:Invalid signature"]}
        assert used(wire, "rest") == 0
        # its nonce was not used up
        assert (await wire.signed("Balance", f"nonce={nonce}", nonce))["error"] == []


async def test_a_body_that_was_changed_on_the_way_is_refused() -> None:
    async with spot() as wire:
        nonce = wire.nonce()
        headers = {
            "API-Key": wire.server.key.key,
            "API-Sign": "bm9uZQ==",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with wire.session.post(
            f"{wire.base}/0/private/AddOrder", data=f"nonce={nonce}&volume=2", headers=headers
        ) as answer:
            assert await answer.json() == {"error": ["EAPI:Invalid signature"]}


async def test_an_unknown_key_is_refused() -> None:
    async with spot() as wire:
        nonce = wire.nonce()
        assert await wire.signed("Balance", f"nonce={nonce}", nonce, key="ANOTHER") == {
            "error": ["EAPI:Invalid key"]
        }
        async with wire.session.post(
            f"{wire.base}/0/private/Balance", data=f"nonce={nonce}"
        ) as answer:
            assert await answer.json() == {"error": ["EAPI:Invalid key"]}


@pytest.mark.parametrize("step", [0, -1])
async def test_a_nonce_that_is_not_above_the_last_is_refused(step: int) -> None:
    async with spot() as wire:
        last = int(wire.nonce())
        assert (await wire.signed("Balance", f"nonce={last}", str(last)))["error"] == []
        nonce = str(last + step)
        assert await wire.signed("Balance", f"nonce={nonce}", nonce) == {
            "error": ["EAPI:Invalid nonce"]
        }
        assert used(wire, "rest") < 1.01


@pytest.mark.parametrize("nonce", ["", "abc", "-5", "1.5", "²", "٣", "9" * 40])
async def test_what_is_no_nonce_is_refused(nonce: str) -> None:
    async with spot() as wire:
        assert await wire.signed("Balance", f"nonce={nonce}", nonce) == {
            "error": ["EAPI:Invalid nonce"]
        }


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("Balance", "query-funds"),
        ("BalanceEx", "query-funds"),
        ("TradeBalance", "query-funds"),
        ("TradeVolume", "query-funds"),
        ("OpenOrders", "query-open-trades"),
        ("OpenPositions", "query-open-trades"),
        ("QueryOrders", "query-open-trades"),
        ("ClosedOrders", "query-closed-trades"),
        ("TradesHistory", "query-closed-trades"),
        ("QueryTrades", "query-closed-trades"),
        ("Ledgers", "query-ledger"),
        ("QueryLedgers", "query-ledger"),
        ("GetWebSocketsToken", "create-ws-token"),
        ("AddOrder", "modify-trades"),
        ("AmendOrder", "modify-trades"),
        ("EditOrder", "modify-trades"),
        ("CancelOrder", "close-trades"),
        ("CancelAll", "close-trades"),
        ("CancelAllOrdersAfter", "close-trades"),
    ],
)
async def test_a_permission_that_a_key_lacks_is_missed(name: str, needed: str) -> None:
    async with spot(permissions=tuple(p for p in PERMISSIONS if p != needed)) as wire:
        assert await wire.error(name, **MANY) == "EGeneral:Permission denied"
    async with spot(permissions=(needed,)) as wire:
        assert (await wire.private(name, **MANY))["error"] != ["EGeneral:Permission denied"]


async def test_a_key_says_what_it_may_do() -> None:
    async with spot(permissions=("query-funds",)) as wire:
        assert (await wire.result("GetApiKeyInfo"))["permissions"] == ["query-funds"]


async def test_an_unknown_method_is_refused() -> None:
    async with spot() as wire:
        assert await wire.error("Withdraw") == "EGeneral:Unknown method"
        assert await wire.public("Nothing") == {"error": ["EGeneral:Unknown method"]}


# How often


async def test_the_rest_counter_refuses_the_sixteenth_question_and_drains() -> None:
    async with spot() as wire:
        for _ in range(15):
            await wire.result("Balance")
        assert await wire.error("Balance") == "EAPI:Rate limit exceeded"
        assert used(wire, "rest") < 15.0  # what was refused is not counted
        await wire.add()  # trading is not counted here
        wire.later(1 / 0.33 + 0.2)
        await wire.result("Balance")
        assert await wire.error("Balance") == "EAPI:Rate limit exceeded"


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("TradesHistory", 2),
        ("Ledgers", 2),
        ("ClosedOrders", 1),
        ("OpenOrders", 1),
        ("GetWebSocketsToken", 1),
    ],
)
async def test_history_costs_twice_as_much(name: str, cost: float) -> None:
    async with spot() as wire:
        await wire.result(name)
        assert used(wire, "rest") == pytest.approx(cost, abs=0.1)


async def test_the_counter_of_a_pair_refuses_the_order_that_would_overflow_it() -> None:
    async with spot() as wire:
        for _ in range(6):
            await wire.result("CancelOrder", txid=await wire.add(volume="0.001", price="40000"))
        names = [await wire.add(volume="0.001", price="40000") for _ in range(6)]
        full = used(wire, BTC)
        # six times 1 and 8, and six times 1, drained by one a second
        assert full == pytest.approx(60, abs=1)
        assert await wire.error("AddOrder", **MANY) == "EOrder:Rate limit exceeded"
        assert (
            await wire.error("AmendOrder", txid=names[0], limit_price="40001")
            == "EOrder:Rate limit exceeded"
        )
        assert used(wire, BTC) == pytest.approx(full + 2, abs=0.5), (
            "the fixed cost is counted even where it is refused"
        )
        assert await wire.error("CancelOrder", txid=names[0]) == "EOrder:Rate limit exceeded"
        assert used(wire, BTC) == pytest.approx(full + 2, abs=0.5), "a cancel has no fixed cost"
        eth = {**MANY, "pair": "ETHUSD", "price": "2000", "volume": "0.01"}
        # another pair has a counter of its own
        assert (await wire.result("AddOrder", **eth))["txid"]
        wire.later(10)
        await wire.result("AddOrder", **MANY)
        assert wire.world.exchange.open_in(BTC) == 7


async def test_a_cancel_costs_by_the_age_of_its_order() -> None:
    later = [(limit + 1, cost) for (limit, _), (_, cost) in pairwise((*CANCEL_BY_AGE, (0.0, 0.0)))]
    for age, cost in [(0.0, 8.0), *later]:
        async with spot() as wire:
            name = await wire.add(price="40000")
            wire.later(age)
            before = used(wire, BTC)
            await wire.result("CancelOrder", txid=name)
            assert used(wire, BTC) - before == pytest.approx(cost, abs=0.05), age


async def test_an_amend_costs_one_and_more_where_the_order_is_young() -> None:
    async with spot() as wire:
        name = await wire.add(price="40000")
        # the age begins anew with each amend
        for age, cost in ((0.0, 4.0), (6.0, 3.0), (11.0, 2.0), (16.0, 1.0)):
            wire.later(age)
            before = used(wire, BTC)
            await wire.result("AmendOrder", txid=name, limit_price=f"{40001 + age}")
            assert used(wire, BTC) - before == pytest.approx(cost, abs=0.05), age


BROKEN = [
    {"volume": "100"},
    {"volume": "0.00001"},
    {"price": "40000.05"},
    {"type": "sell", "volume": "6", "price": "60000"},
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_an_order_that_is_refused_is_counted(broken: dict[str, str]) -> None:
    async with spot() as wire:
        await wire.error("AddOrder", **{**MANY, **broken})
        assert used(wire, BTC) == pytest.approx(1, abs=0.1)


async def test_too_many_open_orders_are_refused() -> None:
    async with spot() as wire:
        for _ in range(60):
            await wire.add(volume="0.0001", price="40000")
            wire.later(1)
        assert await wire.error("AddOrder", **MANY) == "EOrder:Orders limit exceeded"


# What is asked for


async def test_a_client_id_is_unique_over_open_orders() -> None:
    async with spot() as wire:
        name = await wire.add(cl_ord_id="mine")
        assert "cl_ord_id" in await wire.error("AddOrder", **MANY, cl_ord_id="mine")
        await wire.result("CancelOrder", cl_ord_id="mine")
        assert await wire.add(cl_ord_id="mine") != name
        assert set(await wire.result("QueryOrders", txid=name)) == {name}
        assert await wire.error("CancelOrder", cl_ord_id="other") == "EOrder:Unknown order"


GOOD = [
    "a",
    "flatout-0001",
    "x" * 18,
    "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9",
    "2C6BE8011F534F79A0BB4EA1C95DFAE9",
    "~!@#$%^&*()_+",
]
BAD = [
    "x" * 19,
    "with space",
    "Ünïcödé",
    "2c6be801-1f53-4f79-a0bb-4ea1c95dfaeg",
    "2c6be8011f534f79a0bb4ea1c95dfae",
    "mine\n",
]


@pytest.mark.parametrize("client", GOOD)
async def test_a_client_id_may_be_a_uuid_hexadecimal_or_short(client: str) -> None:
    async with spot() as wire:
        assert wire.terms(await wire.add(cl_ord_id=client)).client == client


@pytest.mark.parametrize("client", BAD)
async def test_a_client_id_of_another_form_is_refused(client: str) -> None:
    async with spot() as wire:
        assert (
            await wire.error("AddOrder", **MANY, cl_ord_id=client)
            == "EGeneral:Invalid arguments:cl_ord_id"
        )


async def test_a_client_id_and_a_user_reference_exclude_each_other() -> None:
    async with spot() as wire:
        assert (await wire.error("AddOrder", **MANY, cl_ord_id="mine", userref="7")).startswith(
            "EGeneral:Invalid arguments"
        )


def after(wire: Wire, seconds: float) -> str:
    at = datetime.fromtimestamp(wire.world.now() / 1e9, UTC) + timedelta(seconds=seconds)
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "EService:Deadline elapsed"), (61, "EGeneral:Invalid arguments:deadline")],
)
async def test_a_deadline_that_is_past_or_far_away_is_refused(seconds: float, text: str) -> None:
    async with spot() as wire:
        name = await wire.add(price="49000", deadline=after(wire, 5))
        assert await wire.error("AddOrder", **MANY, deadline=after(wire, seconds)) == text
        assert (
            await wire.error(
                "AmendOrder", txid=name, limit_price="48000", deadline=after(wire, seconds)
            )
            == text
        )
        assert wire.order(name).price == 49000
        for nonsense in ("tomorrow", "2026-13-01T00:00:00Z", "2026-11-21T10:00:00"):
            assert (
                await wire.error("AddOrder", **MANY, deadline=nonsense)
                == "EGeneral:Invalid arguments:deadline"
            )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"volume": "0.00004"}, "EOrder:Order minimum not met"),
        ({"volume": "0.00005", "price": "5000"}, "EOrder:Cost minimum not met"),
        ({"volume": "0.000000001"}, "EGeneral:Invalid arguments:volume"),
        (
            {"price": "40000.05"},
            "EOrder:Invalid price:XBT/USD price can only be specified up to 1 decimals.",
        ),
        ({"volume": "3"}, "EOrder:Insufficient funds"),
        ({"type": "sell", "volume": "5.1", "price": "60000"}, "EOrder:Insufficient funds"),
        ({"type": "sell", "volume": "5.1", "ordertype": "market"}, "EOrder:Insufficient funds"),
        ({"price": "50000.1", "oflags": "post"}, "EOrder:Post only order"),
        ({"pair": "DOGEUSD"}, "EQuery:Unknown asset pair"),
        ({"pair": ""}, "EQuery:Unknown asset pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "stop"}, "EGeneral:Invalid arguments:ordertype"),
        ({"oflags": "post,maybe"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "PO"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"leverage": "6"}, "EGeneral:Invalid arguments:leverage"),
        ({"reduce_only": "true"}, "EOrder:Reduce only:Non-margin order"),
        ({"reduce_only": "true", "leverage": "2"}, "EOrder:Reduce only:No position exists"),
        ({"reduce_only": "perhaps"}, "EGeneral:Invalid arguments:reduce_only"),
        ({"ordertype": "trailing-stop", "price": "100"}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "trailing-stop", "price": "+100%"}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "stop-loss-limit"}, "EGeneral:Invalid arguments:price2"),
        ({"ordertype": "settle-position", "leverage": "2"}, "EOrder:No position exists"),
        ({"expiretm": "+0"}, "EGeneral:Invalid arguments:expiretm"),
        ({"stptype": "cancel-me"}, "EGeneral:Invalid arguments:stptype"),
        ({"trigger": "mark"}, "EGeneral:Invalid arguments:trigger"),
        (
            {"close[ordertype]": "market", "close[price]": "1"},
            "EGeneral:Invalid arguments:close[ordertype]",
        ),
        (
            {"close[ordertype]": "limit", "close[price]": "x"},
            "EGeneral:Invalid arguments:close[price]",
        ),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_and_also_where_it_is_only_looked_at(
    fields: dict[str, str], text: str
) -> None:
    async with spot() as wire:
        assert await wire.error("AddOrder", **{**MANY, **fields}) == text
        assert await wire.error("AddOrder", **{**MANY, **fields}, validate="true") == text
        assert wire.world.exchange.orders == {}


NONSENSE = [
    "",
    "0",
    "-1",
    "NaN",
    "Infinity",
    "1_000",
    " 1 ",
    "1e999999999",
    "٣",
    "9" * 60,
    "0x10",
    "1,5",
]


@pytest.mark.parametrize("text", NONSENSE)
async def test_what_is_no_number_is_refused(text: str) -> None:
    async with spot() as wire:
        assert (await wire.error("AddOrder", **{**MANY, "volume": text})).startswith(
            "EGeneral:Invalid arguments:volume"
        )
        name = await wire.add(price="49000")
        assert (await wire.error("AmendOrder", txid=name, order_qty=text)).startswith(
            "EGeneral:Invalid arguments"
        )
        assert wire.order(name).size == wire.order(name).size.normalize()


async def test_an_order_of_nothing_known_is_unknown() -> None:
    async with spot() as wire:
        gone = await wire.add()
        await wire.result("CancelOrder", txid=gone)
        for name in (gone, "OAAAAA-BBBBB-CCCCCC", "", "--5", "²"):
            for method in ("CancelOrder", "AmendOrder", "EditOrder"):
                assert (
                    await wire.error(method, txid=name, pair="XBTUSD", limit_price="49000")
                    == "EOrder:Unknown order"
                )
        assert await wire.error("QueryOrders", txid="OAAAAA-BBBBB-CCCCCC") == "EOrder:Unknown order"
        assert await wire.error("QueryOrders", txid="nonsense") == "EGeneral:Invalid arguments:txid"
        assert (
            await wire.error("QueryOrders", txid=",".join([gone] * 51))
            == "EGeneral:Invalid arguments:txid"
        )


async def test_an_amend_cannot_sell_what_is_not_there() -> None:
    async with spot() as wire:
        name = await wire.add("sell", "5", "60000")
        assert (
            await wire.error("AmendOrder", txid=name, order_qty="6") == "EOrder:Insufficient funds"
        )
        await wire.result("AmendOrder", txid=name, order_qty="4")
        await wire.result("AmendOrder", txid=name, order_qty="5")
        assert wire.order(name).size == 5


async def test_an_edit_that_is_refused_leaves_the_old_order() -> None:
    async with spot() as wire:
        name = await wire.add(price="49000")
        for field, value in (("price", "50000.05"), ("volume", "0.00001"), ("price", "x")):
            await wire.error("EditOrder", pair="XBTUSD", txid=name, **{field: value})
        assert list(wire.world.exchange.orders) == [name]
        # its own funds are free for it
        edited = await wire.result("EditOrder", pair="XBTUSD", txid=name, volume="2")
        assert list(wire.world.exchange.orders) == [edited["txid"]]


async def test_a_batch_is_looked_at_before_any_of_it_is_placed() -> None:
    async with spot() as wire:
        good, bad = {**MANY, "cl_ord_id": "a"}, {**MANY, "volume": "x"}
        assert "volume" in await wire.error(
            "AddOrderBatch", pair="XBTUSD", orders=json.dumps([good, bad])
        )
        wrong: tuple[object, ...] = ([good], [good] * 16, "nonsense", [1, 2], {})
        for orders in wrong:
            assert "orders" in await wire.error(
                "AddOrderBatch", pair="XBTUSD", orders=json.dumps(orders)
            )
        assert wire.world.exchange.orders == {}
        told = await wire.result(
            "AddOrderBatch", pair="XBTUSD", orders=json.dumps([good, {**MANY, "volume": "0.00001"}])
        )
        assert [sorted(row) for row in told["orders"]] == [
            ["cl_ord_id", "descr", "txid"],
            ["error"],
        ]
