"""A recorded week with brackets in nautilus_trader's backtest: `python nautilus_week.py JOB`.

Runs in an environment of its own; reads the job (see `tests.bench.week`) and prints what it did as
one line of JSON.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

pandas: Any = import_module("pandas")
backtest: Any = import_module("nautilus_trader.backtest.engine")
settings: Any = import_module("nautilus_trader.config")
enums: Any = import_module("nautilus_trader.model.enums")
ids: Any = import_module("nautilus_trader.model.identifiers")
objects: Any = import_module("nautilus_trader.model.objects")
instruments: Any = import_module("nautilus_trader.model.instruments")
wranglers: Any = import_module("nautilus_trader.persistence.wranglers")
trading: Any = import_module("nautilus_trader.trading.strategy")
D: Any = import_module("decimal").Decimal

JOB = json.loads(Path(sys.argv[1]).read_text())
VENUE = ids.Venue("SIM")
NAME = ids.InstrumentId(ids.Symbol("BTC/USD"), VENUE)
SIDES = {"buy": enums.OrderSide.BUY, "sell": enums.OrderSide.SELL}


class Trader(trading.Strategy):  # type: ignore[misc]  # it is not installed here
    """Places the brackets."""

    def on_start(self) -> None:
        self.fills = self.closed = 0
        self.instrument = self.cache.instrument(NAME)
        for number, one in enumerate(JOB["brackets"]):
            self.clock.set_time_alert_ns(f"{number}", one["at"], self.place)

    def place(self, event: Any) -> None:
        one = JOB["brackets"][int(event.name)]
        quote = self.cache.quote_tick(NAME)
        price, sign = float(quote.ask_price), 1
        if one["side"] == "sell":
            price, sign = float(quote.bid_price), -1
        orders = self.order_factory.bracket(
            instrument_id=NAME,
            order_side=SIDES[one["side"]],
            quantity=self.instrument.make_qty(JOB["size"]),
            sl_trigger_price=self.instrument.make_price(price * (1 - sign * JOB["stop"])),
            tp_price=self.instrument.make_price(price * (1 + sign * JOB["target"])),
        )
        self.submit_order_list(orders)

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1

    def on_position_closed(self, event: Any) -> None:
        self.closed += 1


def instrument() -> Any:
    usd, btc = objects.Currency.from_str("USD"), objects.Currency.from_str("BTC")
    return instruments.CurrencyPair(
        instrument_id=NAME,
        raw_symbol=NAME.symbol,
        base_currency=btc,
        quote_currency=usd,
        price_precision=1,
        size_precision=3,
        price_increment=objects.Price.from_str("0.1"),
        size_increment=objects.Quantity.from_str("0.001"),
        ts_event=0,
        ts_init=0,
        margin_init=D("0.1"),
        margin_maint=D("0.05"),
        maker_fee=D("0.0025"),
        taker_fee=D("0.004"),
    )


def ticks(pair: Any) -> tuple[Any, Any]:
    quotes = pandas.read_csv(JOB["quotes"])
    quotes.index = pandas.to_datetime(quotes.pop("ts_ns"), utc=True)
    quotes = quotes.rename(columns={"bid": "bid_price", "ask": "ask_price"})
    trades = pandas.read_csv(JOB["trades"])
    trades.index = pandas.to_datetime(trades.pop("ts_ns"), utc=True)
    trades = trades.rename(columns={"size": "quantity"})
    trades["side"] = trades["side"].str.upper()
    trades["trade_id"] = [str(number) for number in range(len(trades))]
    return (
        wranglers.QuoteTickDataWrangler(pair).process(quotes),
        wranglers.TradeTickDataWrangler(pair).process(trades),
    )


def main() -> None:
    began = time.perf_counter()
    pair = instrument()
    quotes, trades = ticks(pair)
    engine = backtest.BacktestEngine(
        settings.BacktestEngineConfig(
            logging=settings.LoggingConfig(bypass_logging=True), run_analysis=False
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=enums.OmsType.HEDGING,
        account_type=enums.AccountType.MARGIN,
        base_currency=objects.Currency.from_str("USD"),
        starting_balances=[objects.Money(1_000_000, objects.Currency.from_str("USD"))],
    )
    engine.add_instrument(pair)
    engine.add_data(quotes)
    engine.add_data(trades)
    trader = Trader()
    engine.add_strategy(trader)
    read = time.perf_counter()
    engine.run()
    done = time.perf_counter()
    told = {"read": read - began, "play": done - read, "fills": trader.fills}
    print(json.dumps({**told, "closed": trader.closed}))


if __name__ == "__main__":
    main()
