"""A session of a recording goes on from where it stood, and, in another account, from where it was:
the same from there as the first time, and otherwise where something else is asked for.
"""

from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.inspection.forking import ForkError, fork
from engine.inspection.looking import journal_of
from engine.inspection.reports import NothingThereError
from engine.model.intent import Away, Base, Flatten, OpenBracket
from engine.model.position import Protection
from engine.model.side import Side
from engine.session import Session
from engine.session.local import LocalSession
from engine.session.opening import open_session
from engine.setup.accounts import Resolved, resolve
from engine.setup.settings import load
from tests.session.test_replay import BTC, SECOND, START, do, quotes, until
from tui.cli.moments import moment_of


def flags(folder: Path, account: str) -> list[str]:
    path = folder / "quotes.csv"
    if not path.exists():
        path.write_text(quotes())
    return [f"account.name={account}", "market.source=recorded", f'market.files=["{path}"]']


async def opened(folder: Path, account: str) -> LocalSession:
    session = await open_session(load(None, flags(folder, account)).settings, folder)
    assert isinstance(session, LocalSession)
    await until(lambda: session.view().feeds and not session.view().reasons)
    return session


async def hurried(session: Session, to: str) -> tuple[object, ...]:
    """What an account is at a time of the recording."""
    await do(session, f"seek {to}")
    await until(lambda: session.view().replay == "frozen")
    view = session.view()
    held = [(one.symbol, one.size, one.protection, one.stop) for one in view.positions]
    return view.at, view.account.equity, held, [one.profit for one in view.closed]


def of(folder: Path, account: str) -> Resolved:
    return resolve(load(None, flags(folder, account)).settings, folder, explicit=False)


async def test_a_fork_is_the_same_session_again_from_a_point(tmp_path: Path) -> None:
    first = await opened(tmp_path, "first")
    bracket = OpenBracket(
        id="one", symbol=BTC, side=Side.BUY, size=Base(Decimal("0.05")), stop=Away(Decimal("0.01"))
    )
    assert (await first.ask(bracket)).ok
    await until(lambda: [one.protection for one in first.view().positions] == [Protection.VENUE])
    halfway = await hurried(first, "22:18")
    await first.close()

    again = await opened(tmp_path, "first")  # it goes on where it was
    assert START + 300 * SECOND > again.view().at >= START + 240 * SECOND
    ended = await hurried(again, "22:22")
    assert ended[2] == []  # the stop was hit in the fall
    await again.close()

    made = fork(of(tmp_path, "first"), "second", partial(moment_of, "22:18", None), tmp_path)
    assert (made.positions, made.orders) == (1, 1)
    journal = journal_of(of(tmp_path, "second").settings, tmp_path / "second")
    assert list(journal.verify()) == []
    journal.close()
    second = await opened(tmp_path, "second")
    assert await hurried(second, "22:22") == ended
    await second.close()

    fork(of(tmp_path, "first"), "third", partial(moment_of, "22:18", None), tmp_path)
    third = await opened(tmp_path, "third")
    assert (await third.ask(Flatten(id="two"))).ok
    await until(lambda: not third.view().positions)
    otherwise = await hurried(third, "22:22")
    assert otherwise[1] != ended[1]
    assert otherwise[2:] != halfway[2:]
    await third.close()


@pytest.fixture
async def source(tmp_path: Path) -> Resolved:
    session = await opened(tmp_path, "first")
    await session.close()
    return of(tmp_path, "first")


def test_what_cannot_be_forked_says_why_and_leaves_nothing(
    tmp_path: Path, source: Resolved
) -> None:
    live = replace(source, identity=replace(source.identity, venue="kraken"))
    server = replace(
        source,
        settings=replace(
            source.settings,
            journal=replace(source.settings.journal, url="postgresql://nowhere/none"),
        ),
    )
    now = partial(moment_of, "22:14:01", None)
    with pytest.raises(ForkError, match="first · kraken · LIVE: only a paper account"):
        fork(live, "second", now, tmp_path)
    with pytest.raises(ForkError, match="its journal is on a server"):
        fork(server, "second", now, tmp_path)
    with pytest.raises(ForkError, match="first exists; name an account that does not"):
        fork(source, "first", now, tmp_path)
    with pytest.raises(NothingThereError, match="nothing of then: it has 2023-11-14 22:14:0"):
        fork(source, "second", partial(moment_of, "22:10", None), tmp_path)
    with pytest.raises(ValueError, match="a time is 14:02:30"):
        fork(source, "second", partial(moment_of, "noon", None), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "quotes.csv"]
