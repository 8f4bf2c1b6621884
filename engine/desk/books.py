"""Our own books by asset, as the gate asks for them: what we bought and have not sold, and what lay
there before.
"""

from collections.abc import Collection

from engine.desk.state import JOURNAL, State
from engine.model.books import Books, asset_of
from engine.model.money import ZERO


def books_of(state: State, asset: str, confirmed: Collection[str] = ()) -> Books:
    """Sum up by the journal how much of an asset (a currency where coins change hands, else a
    symbol) is ours, and how much is not.
    """
    long = short = left = ZERO
    for position in state.positions.values():
        if (
            position.size
            and asset_of(state.instruments[position.symbol], position.leverage) == asset
        ):
            size = position.signed_size
            long, short = long + max(size, ZERO), short + max(-size, ZERO)
    if asset in state.instruments:
        left = state.elsewhere.get(asset, ZERO) + state.dust.get(asset, ZERO)
    else:
        left = state.cash.get(asset, ZERO) - long + short
    return Books(long, short, left, confirmed, JOURNAL in state.unexplained)
