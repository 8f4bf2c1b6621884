"""One journal in PostgreSQL, two machines: the first hangs with a position, the second takes the
account over, the first wakes.

Right: the first sends nothing any more, whatever its person presses, and says that it has lost the
account; the second has the position and closes it once. Skipped where no PostgreSQL answers.
"""

import asyncio
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
EXCHANGE = ["--symbols", "BTC/USD", "--cash", "USD=100000", "--cash", "BTC=0.5"]
ENTRIES = {common.SPOT: "0.1"}
SERVERS = (
    os.environ.get("FLATOUT_TEST_POSTGRES", ""),
    "postgresql+psycopg:///test?host=/var/run/postgresql",
    "postgresql+psycopg://postgres@127.0.0.1:5432/test",
)


def execute(url: str, statement: str) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(
        url, poolclass=NullPool, connect_args={"connect_timeout": 3}
    ).begin() as connection:
        connection.exec_driver_sql(statement)


def schema(name: str) -> tuple[str, str]:
    """A server that answers, and the address of a schema of our own in it."""
    for url in filter(None, SERVERS):
        try:
            execute(url, f"CREATE SCHEMA {name}")
        except Exception as error:  # whatever is missing, the case can't be run here
            why = str(error)
        else:
            return url, f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"
    raise hostile.Skip(f"no PostgreSQL: {' '.join(why.split())[:120]}")


async def drive(run: Any) -> None:
    name = f"hostile_{uuid.uuid4().hex}"
    server, url = schema(name)
    try:
        await take_over(run, ("--set", f"journal.url={url}"))
    finally:
        for console in run.consoles:
            console.send_signal(signal.SIGCONT)
            await console.end(signal.SIGKILL)
        execute(server, f"DROP SCHEMA {name} CASCADE")


async def take_over(run: Any, journal: tuple[str, ...]) -> None:
    first = await common.held(run, "0.1", more=journal)
    first.send_signal(signal.SIGSTOP)
    second = run.console(*run.live([common.SPOT]), *journal, "--take-over", "--dead", home="other")
    await second.open(100)
    since = len(run.requests)
    first.send_signal(signal.SIGCONT)
    await asyncio.sleep(4)
    run.notes["first"] = await common.shown(first)
    try:
        await first.ask("flatten")
    except (RuntimeError, OSError, ValueError, TimeoutError) as error:
        run.notes["refused"] = str(error)
    await asyncio.sleep(6)
    run.notes["sent"] = [call.name for call in common.orderings(run, since)]
    await second.ask("flatten")
    await second.until(lambda view: not view["positions"], seconds=40)
    await asyncio.sleep(3)


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.kept(run, "BTC", "0.5")]
    if run.notes["sent"]:
        faults.append(f"after it woke, {', '.join(run.notes['sent'])} left")
    if not any(row["code"] == "LEASE_LOST" for row in run.notes["first"].get("alerts", [])):
        faults.append("the first console does not say that it has lost the account")
    return faults
