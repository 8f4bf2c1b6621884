"""Whether the prices of a symbol are needed: something is open in it, or money is counted by it."""

from collections.abc import Collection

from engine.desk.board import Board
from engine.desk.ordering import flattens
from engine.desk.state import State
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.side import Side


def open_in(state: State) -> set[str]:
    """The symbols of positions, of orders of ours, and of price alerts."""
    return {
        *(one.symbol for one in state.positions.values()),
        *(one.symbol for one in state.orders.values()),
        *(one.symbol for one in state.price_alerts.values()),
    }


def why(state: State, board: Board, symbol: str, heard: Collection[str]) -> str:
    """Why a symbol can't be dropped, with what ends that; empty where it can. `heard` are all whose
    prices are heard.
    """
    return (
        _open(state, symbol)
        or _alerted(state, symbol)
        or _counted(state, board, symbol, heard)
        or ("no other symbol is watched" if len(heard) == 1 else "")
    )


def _open(state: State, symbol: str) -> str:
    if flattens(state):
        return "a flatten is under way"
    held = [one for one in state.positions.values() if one.symbol == symbol and one.is_open]
    if held:
        side = "long" if held[0].side is Side.BUY else "short"
        return f"{side} {abs(held[0].size):f} is open in it; close it first"
    orders = [one for one in state.orders.values() if one.symbol == symbol]
    if orders or any(one.symbol == symbol for one in state.positions.values()):
        return f"an order of it works; cancel {symbol} first"
    if any(one.symbol == symbol for one in state.foreign.values()):
        return "an order of it works that is not ours; cancel it where it was placed"
    return ""


def _alerted(state: State, symbol: str) -> str:
    waits = [one for one in state.price_alerts.values() if one.symbol == symbol]
    if waits:
        return f"price alert #{waits[0].number} waits for it; alert {symbol} none first"
    instrument = state.instruments.get(symbol)
    about = {symbol, instrument.base if instrument is not None else symbol}
    differs = (one for one in state.alerts.values() if one.code == AlertCode.DIFFERENCE)
    if any(one.target in about for one in differs):
        return "the venue holds something else of it than we; compare first"
    return ""


def _counted(state: State, board: Board, symbol: str, heard: Collection[str]) -> str:
    """Whether money is turned into the account's currency by it: what lies in the account, or what
    other symbols are paid in.
    """
    into = state.currency
    others = [state.instruments[s] for s in heard if s != symbol and s in state.instruments]
    held = {name: f"{amount:f} {name}" for name, amount in state.cash.items() if amount != ZERO}
    paid = {one.settle: f"what {one.symbol} is paid in" for one in others}
    for name, what in (held | paid).items():
        if board.rate(name, into) is not None and board.rate(name, into, symbol) is None:
            return f"its price says what {what} is worth in {into}"
    return ""
