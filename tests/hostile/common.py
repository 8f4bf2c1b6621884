"""What the cases in this folder share; a case loads it with `hostile.load(...)`, so that nothing
has to be on the path.

The tool itself (`hostile.py`) is not part of the repository: the cases find it as the module
`hostile`.
"""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import hostile

SPOT, CONTRACT = "BTC/USD", "PF_XBTUSD"
D = Decimal


def lagging(seconds: int) -> list[str]:
    """Arguments of an exchange whose answers about the account are so old."""
    folder = Path(tempfile.gettempdir()) / f"flatout-hostile-lag-{seconds}.toml"
    folder.write_text(f'rest_lag = "{seconds}s"\n', encoding="utf-8")
    return ["--faults", str(folder)]


async def held(
    run: Any,
    size: str,
    symbol: str = SPOT,
    *,
    home: str = "consoles",
    stop: str | None = "0.05",
    more: tuple[str, ...] = (),
) -> Any:
    """A console that trades live and has bought `size`, protected by a stop at the exchange where
    one is asked for.
    """
    console = run.console(*run.live([symbol]), *more, home=home)
    await console.open()
    await console.ask("go_live", account="main")
    await buy(console, size, symbol, stop=stop)
    return console


async def buy(console: Any, size: str, symbol: str = SPOT, *, stop: str | None = "0.05") -> None:
    """Open a long position, and wait until its stop rests."""
    terms = {} if stop is None else {"stop": {"type": "away", "fraction": stop}}
    await console.ask(
        "open", symbol=symbol, side="buy", size={"type": "base", "amount": size}, **terms
    )

    def there(view: dict[str, Any]) -> bool:
        rows = [
            row
            for row in view["positions"]
            if row["symbol"] == symbol and D(str(row["size"])) >= D(size)
        ]
        return any(stop is None or row["protection"] == "venue" for row in rows)

    await console.until(there, seconds=40)


async def flatten(
    run: Any, console: Any, *words: str, symbols: tuple[str, ...] = (SPOT,), seconds: float = 150
) -> tuple[int | None, str]:
    """`flatout flatten --yes` from another shell, for the console's account."""
    options = ["--account", console.account, *run.live(list(symbols)), *words, "flatten", "--yes"]
    code, said = await run.flatout(
        *options, seconds=seconds, env={"FLATOUT_HOME": str(console.root)}
    )
    run.notes.setdefault("flattened", []).append((code, said))
    run.code = code
    return code, said


async def follows(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true in time."""
    for _ in range(int(seconds / 0.1)):
        if condition():
            return True
        await asyncio.sleep(0.1)
    return condition()


def orderings(run: Any, since: int) -> list[Any]:
    """Requests of the product, from this one on, that change anything at the exchange."""
    names = (*hostile.ORDERING, *hostile.CHANGING, *hostile.CANCELLING)
    return [call for call in run.requests[since:] if call.ours and call.name in names]


def sold(run: Any, symbol: str = SPOT) -> Decimal:
    """What the product sold, by the exchange's executions."""
    return sum(
        (D(str(row["size"])) for row in run.executions(symbol) if row["side"] == "sell"), D(0)
    )


def is_flat(run: Any, size: str, symbol: str = SPOT) -> list[str]:
    """Faults of an exit that must have ended with 0: exit code, once sold, nothing of ours resting,
    other holdings untouched.
    """
    faults = []
    for code, said in run.notes.get("flattened", [(0, "")]):
        if code != 0:
            faults.append(
                f"`flatten --yes` ended with {code}:"
                f" {' | '.join(said.strip().splitlines()[-3:])[-400:]}"
            )
    if sold(run, symbol) != D(size):
        faults.append(f"{hostile.plain(sold(run, symbol))} of {size} {symbol} were sold")
    rests = run.orders(symbol, ours=True, resting=True)
    if rests:
        faults.append(f"{len(rests)} of its orders rest at the end")
    return faults


def kept(run: Any, currency: str, amount: str) -> list[str]:
    """Whether the account still has this much of a currency."""
    has = D(str(run.truth["accounts"]["cash"].get(currency, 0)))
    return (
        []
        if has == D(amount)
        else [f"{currency} of the owner: {amount} before, {hostile.plain(has)} after"]
    )


def protected(run: Any, size: str, symbol: str = SPOT) -> list[str]:
    """Whether stops for this much rest at the exchange."""
    rests = sum((D(str(row["size"])) for row in run.resting_exits(symbol)), D(0))
    return (
        []
        if rests >= D(size)
        else [f"{size} {symbol} are held, stops for {hostile.plain(rests)} rest"]
    )


async def shown(console: Any) -> dict[str, Any]:
    """What the console says, and an empty dict where it does not answer."""
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        return dict(await console.look())
    return {}


def copy_of(base: Path) -> bytes:
    """The content of a SQLite file, as a backup tool would take it."""
    source, copy = sqlite3.connect(base), sqlite3.connect(":memory:")
    try:
        source.backup(copy)
        return copy.serialize()
    finally:
        source.close()
        copy.close()


async def said(
    run: Any,
    console: Any,
    line: str,
    *words: str,
    symbols: tuple[str, ...] = (SPOT,),
    seconds: float = 90,
) -> tuple[int | None, str]:
    """`flatout do --yes LINE` from another shell, for the console's account."""
    options = ["--account", console.account, *run.live(list(symbols)), "do", "--yes", *words, line]
    env = {"FLATOUT_HOME": str(console.root)}
    found: tuple[int | None, str] = await run.flatout(*options, seconds=seconds, env=env)
    run.notes.setdefault("said", []).append((line, *found))
    return found


def traded(run: Any, side: str, symbol: str = SPOT) -> Decimal:
    """What was executed on one side, by the exchange's word."""
    rows = [row for row in run.executions(symbol) if row["side"] == side]
    return sum((D(str(row["size"])) for row in rows), D(0))


def once(run: Any, size: str, symbol: str = SPOT) -> list[str]:
    """Faults of a size that was to be bought once and sold once."""
    sides = {side: traded(run, side, symbol) for side in ("buy", "sell")}
    return [f"{side}: {done} of {size} {symbol}" for side, done in sides.items() if done != D(size)]
