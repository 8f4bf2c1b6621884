"""Sides, quotes, fills, cash, requests, profiles: what is too small for a file of its own; and what
every struct of the model keeps to.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from inspect import Parameter, signature
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.account import add_cash, worth
from engine.model.alert import Alert
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.intent import AnyIntent, Resume
from engine.model.order import Order, OrderType, Role
from engine.model.profile import InstrumentRow, Profile
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.request import (
    SPENDS_RESERVE,
    Amend,
    Cancel,
    Lane,
    Query,
    QueryAccount,
    Submit,
    subject,
    symbol_of,
)
from engine.model.side import Side
from engine.model.view import Answer
from tests.model.test_money import structs

D = Decimal
ZERO = D(0)
PRICES = st.integers(1, 10**6).map(lambda n: D(n) / 10)
TIERS = (FeeTier(ZERO, ZERO, ZERO),)
SPOT = Instrument("BTC/USD", "BTC", "USD", Kind.SPOT, D("0.1"), D("0.001"), D("0.001"), ZERO, TIERS)


def fill(side: Side = Side.BUY, fee: str = "0.01", currency: str = "USD") -> Fill:
    return Fill("T", "C", "BTC/USD", side, D(200), D(3), D(fee), currency, Liquidity.TAKER, 1)


# Side and quote


def test_the_sides_are_each_other_s_opposite() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)


@given(price=PRICES, by=st.integers(0, 99).map(lambda n: D(n) / 100))
def test_worse_is_dearer_for_a_buyer_and_cheaper_for_a_seller(price: Decimal, by: Decimal) -> None:
    assert Fraction(Side.BUY.worse(price, by)) == Fraction(price) + Fraction(price) * Fraction(by)
    assert Fraction(Side.SELL.worse(price, by)) == Fraction(price) - Fraction(price) * Fraction(by)


@given(bid=PRICES, spread=PRICES)
def test_the_middle_is_as_far_from_the_bid_as_from_the_ask(bid: Decimal, spread: Decimal) -> None:
    quote = Quote("S", 0, bid, D(1), bid + spread, D(1))
    assert quote.mid - bid == quote.ask - quote.mid


@pytest.mark.hazard("H54")
@pytest.mark.parametrize(
    ("bid", "ask", "sane"),
    [
        ("1", "1", True),
        ("1", "2", True),
        ("2", "1", False),
        ("0", "1", False),
        ("-1", "1", False),
        ("NaN", "1", False),
        ("1", "Infinity", False),
    ],
)
def test_a_quote_makes_sense_when_both_are_prices_and_not_crossed(
    bid: str, ask: str, sane: bool
) -> None:
    assert Quote("S", 0, D(bid), D(1), D(ask), D(1)).is_sane is sane


# Fill


@pytest.mark.hazard("H52")
@pytest.mark.parametrize(("side", "held"), [(Side.BUY, "2.99"), (Side.SELL, "-3.01")])
def test_a_fee_in_the_base_currency_is_taken_from_what_is_held(side: Side, held: str) -> None:
    assert fill(side, currency="BTC").base_change(SPOT) == D(held)
    assert fill(side, currency="USD").base_change(SPOT) == 3 * side.sign
    assert fill(side, currency="BTC").base_change(replace(SPOT, kind=Kind.INVERSE)) == 3 * side.sign


def test_a_fee_is_valued_at_the_price_of_its_own_fill() -> None:
    inverse = replace(SPOT, kind=Kind.INVERSE)
    assert fill(currency="USD").fee_value(SPOT) == D("0.01")
    assert fill(currency="BTC").fee_value(SPOT) == D(2)
    assert fill(currency="BTC").fee_value(inverse) == D("0.01")
    assert fill(currency="USD").fee_value(inverse) == D("0.00005")
    assert fill(currency="KFEE").fee_value(SPOT) is None


# Cash

AMOUNTS = st.dictionaries(
    st.sampled_from(["USD", "EUR", "BTC", "XYZ"]), st.integers(-1000, 1000).map(D)
)
RATES = {"USD": D(1), "EUR": D("1.1"), "BTC": D(60_000)}


def rate(one: str, _: str) -> Decimal | None:
    return RATES.get(one)


@given(cash=AMOUNTS)
def test_what_has_no_price_is_left_out_and_named(cash: dict[str, Decimal]) -> None:
    total, left_out = worth(cash, "USD", rate)
    assert total == sum(
        (amount * RATES[name] for name, amount in cash.items() if name in RATES), ZERO
    )
    assert left_out == ({"XYZ"} if cash.get("XYZ") else set())


@given(cash=AMOUNTS, amount=st.integers(-1000, 1000).map(D), name=st.sampled_from(["USD", "NEW"]))
def test_cash_is_added_to_a_copy(cash: dict[str, Decimal], amount: Decimal, name: str) -> None:
    before = dict(cash)
    after = add_cash(cash, name, amount)
    assert cash == before
    assert after[name] - before.get(name, ZERO) == amount
    assert {other: value for other, value in after.items() if other != name} == {
        other: value for other, value in before.items() if other != name
    }


# Requests


def test_what_a_request_is_about() -> None:
    order = Order("C", "P", "ETH/USD", Side.BUY, OrderType.MARKET, Role.ENTRY, D(1))
    made = (
        Submit(order, Lane.ENTRY),
        Amend("C", "ETH/USD", Lane.PROTECT),
        Cancel("C", "ETH/USD", Lane.CANCEL),
        Query("C", "ETH/USD"),
    )
    assert {(subject(request), symbol_of(request)) for request in made} == {("C", "ETH/USD")}
    assert (subject(QueryAccount(0)), symbol_of(QueryAccount(0))) == ("account", "")
    assert {Query("C", "S").lane, QueryAccount(0).lane} == {Lane.QUERY}


def test_the_lanes_are_in_order_of_urgency() -> None:
    assert sorted(Lane) == [
        Lane.EMERGENCY,
        Lane.PROTECT,
        Lane.CANCEL,
        Lane.FOLLOW,
        Lane.ENTRY,
        Lane.QUERY,
    ]
    assert {Lane.EMERGENCY, Lane.PROTECT, Lane.CANCEL} == SPENDS_RESERVE


# Alerts, refusals and answers


def test_an_alert_is_about_its_target_or_else_its_subject() -> None:
    assert Alert("NAKED", "BTC/USD", "", 1).key == "NAKED:BTC/USD"
    assert Alert("NAKED", "BTC/USD", "", 1, target="P1").key == "NAKED:P1"


def test_an_answer_without_refusals_was_taken() -> None:
    assert Answer("i").ok
    assert not Answer("i", (Refusal("HALTED"),)).ok


# Every struct

MORE_THAN_NOTHING: Mapping[tuple[str, str], int | Decimal] = {
    ("Alert", "count"): 1,
    ("ClosePosition", "part"): D(1),
    ("Instrument", "contract_size"): D(1),
    ("Instrument", "max_leverage"): D(1),
    ("InstrumentRow", "contract_size"): D(1),
    ("LeaveAt", "part"): D(1),
    ("Profile", "margin_leverage"): D(1),
    ("Profile", "silence"): 10,
    ("Query", "lane"): Lane.QUERY,
    ("QueryAccount", "lane"): Lane.QUERY,
}
"""The numbers that are not zero and the switches that are on where nothing is said."""


def test_what_is_not_said_is_nothing() -> None:
    found = {}
    for struct in structs():
        if struct.__module__ == "engine.model.rules":
            continue  # settings are there to have a default
        for field in msgspec.structs.fields(struct):
            if (
                isinstance(field.default, int | Decimal)
                and field.default
                and not struct.__module__.startswith("engine.model.view.")
            ):
                found[struct.__name__, field.name] = field.default
    assert found == MORE_THAN_NOTHING
    assert Resume(id="i").reason == "PAUSED"


def test_every_struct_of_the_model_is_frozen() -> None:
    assert [struct.__name__ for struct in structs() if not struct.__struct_config__.frozen] == []


def test_an_intent_s_terms_are_said_by_name() -> None:
    for kind in get_args(AnyIntent):
        assert {parameter.kind for parameter in signature(kind).parameters.values()} == {
            Parameter.KEYWORD_ONLY
        }, kind


@pytest.mark.parametrize("struct", [Profile, InstrumentRow])
def test_a_profile_s_misspelt_key_is_an_error(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.forbid_unknown_fields
