"""Whether a key may be used."""

from typing import TYPE_CHECKING

from engine.venues.protocol import RefusedError

if TYPE_CHECKING:
    from engine.venues.live.account import KeyFacts


def admit(facts: "KeyFacts", account: str, *, withdrawals: bool) -> None:
    """Admit a key that trades, and that can't withdraw unless the user insists. Raises
    RefusedError.
    """
    if not facts.can_trade:
        has = ", ".join(facts.permissions) or "no permission"
        raise RefusedError(
            f"account {account}: the key may not trade, or not ask about orders, executions and"
            f" balances; it has: {has}"
        )
    if facts.can_withdraw and not withdrawals:
        raise RefusedError(
            f"account {account}: the key may withdraw; make one that can't, or insist with"
            " account.withdrawals = true"
        )
