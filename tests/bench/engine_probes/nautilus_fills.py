"""Orders on a recorded market in nautilus_trader's backtest: `python nautilus_fills.py JOB`.

Runs in an environment of its own; reads the job (see `tests.bench.nautilus`) and prints each
order's fills, fees and end, and the balances, as one line of JSON.
"""

import json
import sys
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

backtest: Any = import_module("nautilus_trader.backtest.engine")
settings: Any = import_module("nautilus_trader.config")
data: Any = import_module("nautilus_trader.model.data")
enums: Any = import_module("nautilus_trader.model.enums")
ids: Any = import_module("nautilus_trader.model.identifiers")
objects: Any = import_module("nautilus_trader.model.objects")
instruments: Any = import_module("nautilus_trader.model.instruments")
trading: Any = import_module("nautilus_trader.trading.strategy")

JOB = json.loads(Path(sys.argv[1]).read_text())
VENUE = ids.Venue("SIM")
NAME = ids.InstrumentId(ids.Symbol(JOB["symbol"]), VENUE)
BASE, QUOTE = (objects.Currency.from_str(name) for name in JOB["symbol"].split("/"))
DIGITS, SIZE_DIGITS = JOB["digits"], 8
SIDES = {"buy": enums.OrderSide.BUY, "sell": enums.OrderSide.SELL}
TAKERS = {"buy": enums.AggressorSide.BUYER, "sell": enums.AggressorSide.SELLER}


def price(text: str) -> Any:
    return objects.Price.from_str(f"{Decimal(text):.{DIGITS}f}")


def size(text: str) -> Any:
    return objects.Quantity.from_str(f"{Decimal(text):.{SIZE_DIGITS}f}")


def book(at: int, snapshot: bool, levels: list[list[str]]) -> Any:
    none = data.BookOrder(enums.OrderSide.NO_ORDER_SIDE, price("0"), size("0"), 0)
    deltas = [(enums.BookAction.CLEAR, none)] if snapshot else []
    for side, at_price, amount in levels:
        order = data.BookOrder(SIDES[side], price(at_price), size(amount), 0)
        gone = not Decimal(amount)
        deltas.append((enums.BookAction.DELETE if gone else enums.BookAction.UPDATE, order))
    last = len(deltas) - 1
    return data.OrderBookDeltas(
        NAME,
        [
            data.OrderBookDelta(NAME, action, order, 128 if n == last else 0, 0, at, at)
            for n, (action, order) in enumerate(deltas)
        ],
    )


def ticks() -> Any:
    number = 0
    with Path(JOB["ticks"]).open() as file:
        for line in file:
            kind, at, *rest = json.loads(line)
            if kind == "depth":
                yield book(at, *rest)
            elif kind == "quote":
                bid, bids, ask, asks = rest
                yield data.QuoteTick(NAME, price(bid), price(ask), size(bids), size(asks), at, at)
            else:
                number += 1
                taker = TAKERS.get(rest[2], enums.AggressorSide.NO_AGGRESSOR)
                name = ids.TradeId(str(number))
                yield data.TradeTick(NAME, price(rest[0]), size(rest[1]), taker, name, at, at)


class Trader(trading.Strategy):  # type: ignore[misc]  # it is not installed here
    """Places each order at its time."""

    def on_start(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.names: dict[Any, str] = {}
        for number, asked in enumerate(JOB["orders"]):
            self.told[asked["name"]] = {"fills": [], "end": ""}
            self.clock.set_time_alert_ns(f"{number}", asked["at"], self.place)

    def place(self, event: Any) -> None:
        asked = JOB["orders"][int(event.name)]
        terms: dict[str, Any] = {
            "instrument_id": NAME,
            "order_side": SIDES[asked["side"]],
            "quantity": size(asked["size"]),
        }
        kind, make = asked["kind"], self.order_factory
        if kind == "market":
            order = make.market(**terms)
        elif kind in ("limit", "post-only", "ioc"):
            in_force = enums.TimeInForce.IOC if kind == "ioc" else enums.TimeInForce.GTC
            order = make.limit(
                **terms,
                price=price(asked["price"]),
                post_only=kind == "post-only",
                time_in_force=in_force,
            )
        elif kind == "stop":
            order = make.stop_market(**terms, trigger_price=price(asked["trigger"]))
        elif kind == "stop-limit":
            order = make.stop_limit(
                **terms, trigger_price=price(asked["trigger"]), price=price(asked["price"])
            )
        elif kind == "take-profit":
            order = make.market_if_touched(**terms, trigger_price=price(asked["trigger"]))
        else:
            order = make.trailing_stop_market(
                **terms,
                trailing_offset=Decimal(asked["trail"]),
                trailing_offset_type=enums.TrailingOffsetType.PRICE,
                trigger_type=enums.TriggerType.BID_ASK,
            )
        self.names[order.client_order_id] = asked["name"]
        self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:
        self.told[self.names[event.client_order_id]]["fills"].append(
            [
                event.ts_event,
                str(event.last_px),
                str(event.last_qty),
                str(event.commission.as_decimal()),
                "maker" if event.liquidity_side == enums.LiquiditySide.MAKER else "taker",
            ]
        )

    def on_order_event(self, event: Any) -> None:
        kind = type(event).__name__.removeprefix("Order")
        if kind in ("Rejected", "Denied", "Canceled", "Expired"):
            why = getattr(event, "reason", "")
            self.told[self.names[event.client_order_id]]["end"] = f"{kind} {why}".strip()


def main() -> None:
    engine = backtest.BacktestEngine(
        settings.BacktestEngineConfig(
            logging=settings.LoggingConfig(bypass_logging=True),
            risk_engine=settings.RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=enums.OmsType.NETTING,
        account_type=enums.AccountType.CASH,
        starting_balances=[
            objects.Money(amount, objects.Currency.from_str(name))
            for name, amount in JOB["cash"].items()
        ],
        book_type=enums.BookType.L2_MBP if JOB["deep"] else enums.BookType.L1_MBP,
        reject_stop_orders=False,
        use_message_queue=False,
        trade_execution=True,
    )
    engine.add_instrument(
        instruments.CurrencyPair(
            instrument_id=NAME,
            raw_symbol=NAME.symbol,
            base_currency=BASE,
            quote_currency=QUOTE,
            price_precision=DIGITS,
            size_precision=SIZE_DIGITS,
            price_increment=price(JOB["tick"]),
            size_increment=size(JOB["lot"]),
            ts_event=0,
            ts_init=0,
            maker_fee=Decimal(JOB["maker"]),
            taker_fee=Decimal(JOB["taker"]),
        )
    )
    engine.add_data(list(ticks()))
    trader = Trader()
    engine.add_strategy(trader)
    engine.run()
    account = engine.portfolio.account(VENUE)
    balances = {
        str(currency): str(money.as_decimal())
        for currency, money in account.balances_total().items()
    }
    print(json.dumps({"orders": trader.told, "balances": balances}))


if __name__ == "__main__":
    main()
