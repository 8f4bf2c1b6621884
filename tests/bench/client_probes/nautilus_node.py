"""nautilus_trader's Kraken adapter: data with bars, and execution with its order types, for spot or
futures.
"""

import asyncio
from collections import Counter
from decimal import Decimal
from importlib import import_module
from typing import Any

from probe import FUTURES, KEY, REST, SECRET, WS, heard, tell

kraken: Any = import_module("nautilus_trader.adapters.kraken")
settings: Any = import_module("nautilus_trader.config")
live: Any = import_module("nautilus_trader.live.node")
data: Any = import_module("nautilus_trader.model.data")
enums: Any = import_module("nautilus_trader.model.enums")
ids: Any = import_module("nautilus_trader.model.identifiers")
trading: Any = import_module("nautilus_trader.trading.strategy")
pyo3: Any = import_module("nautilus_trader.core.nautilus_pyo3")

INSTRUMENT = ids.InstrumentId.from_str("PF_XBTUSD.KRAKEN" if FUTURES else "BTC/USD.KRAKEN")
seen: Counter[str] = Counter()


class Trader(trading.Strategy):  # type: ignore[misc]  # it is not installed here
    """Subscribes to everything, and sends one order of each type."""

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(INSTRUMENT)
        seen["instrument"] += self.instrument is not None
        self.subscribe_quote_ticks(INSTRUMENT)
        self.subscribe_trade_ticks(INSTRUMENT)
        self.subscribe_order_book_deltas(INSTRUMENT)
        # Kraken Futures streams no candles
        bars = "1-SECOND-LAST-INTERNAL" if FUTURES else "1-MINUTE-LAST-EXTERNAL"
        self.subscribe_bars(data.BarType.from_str(f"{INSTRUMENT}-{bars}"))

    def on_quote_tick(self, tick: Any) -> None:
        seen["quotes"] += 1
        self.last = tick

    def on_trade_tick(self, _: Any) -> None:
        seen["trades"] += 1

    def on_order_book_deltas(self, _: Any) -> None:
        seen["book"] += 1

    def on_bar(self, _: Any) -> None:
        seen["bars"] += 1

    def on_order_event(self, event: Any) -> None:
        kind, what = sent.get(str(event.client_order_id), "OTHER"), type(event).__name__
        seen[f"{kind} {what}"] += 1
        if what in ("OrderRejected", "OrderDenied", "OrderModifyRejected", "OrderCancelRejected"):
            reasons[kind] = event.reason

    def send(self, kind: str) -> Any:
        """One order of a type, far from the market but for the market order."""
        price = self.last.bid_price.as_decimal()
        far = self.instrument.make_price((price * Decimal("0.8")).quantize(Decimal(1)))
        above = self.instrument.make_price((price * Decimal("1.2")).quantize(Decimal(1)))
        size = self.instrument.make_qty(Decimal("0.01"))
        make, buy, sell = self.order_factory, enums.OrderSide.BUY, enums.OrderSide.SELL
        order = {
            "MARKET": lambda: make.market(INSTRUMENT, buy, size),
            "LIMIT": lambda: make.limit(INSTRUMENT, buy, size, far),
            "STOP_MARKET": lambda: make.stop_market(INSTRUMENT, sell, size, far),
            "STOP_LIMIT": lambda: make.stop_limit(INSTRUMENT, sell, size, far, far),
            "MARKET_IF_TOUCHED": lambda: make.market_if_touched(INSTRUMENT, sell, size, above),
            "LIMIT_IF_TOUCHED": lambda: make.limit_if_touched(INSTRUMENT, sell, size, above, above),
        }[kind]()
        sent[str(order.client_order_id)] = kind
        self.submit_order(order)
        return order


def private(**terms: Any) -> Any:
    """The private stream, which this version's execution client does not tell where REST is."""
    return private_stream(**{"base_url_http": REST, **terms})


private_stream, pyo3.KrakenSpotWebSocketClient = pyo3.KrakenSpotWebSocketClient, private
reasons: dict[str, str] = {}
sent: dict[str, str] = {}
"""The type of an order, by its client order id."""
KINDS = ("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED")


def node() -> tuple[Any, Trader]:
    """A trading node that knows this exchange only."""
    product = pyo3.KrakenProductType.FUTURES if FUTURES else pyo3.KrakenProductType.SPOT
    common = {
        "api_key": KEY,
        "api_secret": SECRET,
        "product_types": (product,),
        "base_url_http_spot": REST,
        "base_url_http_futures": REST,
    }
    common |= {"base_url_ws_spot": f"{WS}/v2", "base_url_ws_futures": f"{WS}/v1"}
    loaded, authorised = (
        settings.InstrumentProviderConfig(load_all=True),
        {**common, "base_url_ws_spot": f"{WS}/auth/v2"},
    )
    made = live.TradingNode(
        config=settings.TradingNodeConfig(
            trader_id=ids.TraderId("TESTER-001"),
            logging=settings.LoggingConfig(log_level="WARNING"),
            data_clients={
                kraken.KRAKEN: kraken.KrakenDataClientConfig(instrument_provider=loaded, **common)
            },
            exec_clients={
                kraken.KRAKEN: kraken.KrakenExecClientConfig(
                    instrument_provider=loaded, **authorised
                )
            },
            timeout_connection=20.0,
            timeout_reconciliation=10.0,
        ),
    )
    strategy = Trader(settings.StrategyConfig(order_id_tag="1"))
    made.trader.add_strategy(strategy)
    made.add_data_client_factory(kraken.KRAKEN, kraken.KrakenLiveDataClientFactory)
    made.add_exec_client_factory(kraken.KRAKEN, kraken.KrakenLiveExecClientFactory)
    made.build()
    return made, strategy


async def ended(kind: str, *events: str) -> bool:
    """Whether one of these events of an order came in time."""
    return bool(await heard(lambda: any(seen[f"{kind} {event}"] for event in events), 15))


async def trade(strategy: Trader) -> None:
    """Try each type; what rests is cancelled."""
    for kind in KINDS:
        order = strategy.send(kind)
        if kind == "MARKET":
            tell("order: market", ok=await ended(kind, "OrderFilled"), detail=reasons.get(kind, ""))
            continue
        accepted = await ended(kind, "OrderAccepted", "OrderRejected", "OrderDenied") and bool(
            seen[f"{kind} OrderAccepted"]
        )
        tell(f"order: {kind.lower().replace('_', ' ')}", ok=accepted, detail=reasons.get(kind, ""))
        if accepted and kind == "LIMIT":
            changed = strategy.instrument.make_price(order.price.as_decimal() - 10)
            strategy.modify_order(order, price=changed)
            tell("modify", ok=await ended(kind, "OrderUpdated"), detail=reasons.get(kind, ""))
        if accepted:
            strategy.cancel_order(order)
            tell(
                f"cancel {kind.lower().replace('_', ' ')}",
                ok=await ended(kind, "OrderCanceled"),
                detail=reasons.get(kind, ""),
            )


async def main() -> None:
    """Data first, then orders."""
    made, strategy = node()
    running = asyncio.ensure_future(made.run_async())
    await heard(lambda: running.done() or (seen["quotes"] and seen["trades"] and seen["book"]), 60)
    for feed in ("instrument", "quotes", "trades", "book"):
        tell(f"data: {feed}", ok=bool(seen[feed]))
    if seen["quotes"]:
        await trade(strategy)
    await heard(lambda: running.done() or seen["bars"], 75)
    tell("data: bars", ok=bool(seen["bars"]))
    await made.stop_async()
    await asyncio.wait({running}, timeout=10)


asyncio.run(main())
