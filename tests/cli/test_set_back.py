"""`flatout journal verify` holds the journal against what the home remembers, as a person types it
(H110, H115).
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.account import summary as summaries
from engine.desk.codec import VERSION
from engine.journal.chain import digest
from tests.support import processes

NEWER = VERSION + 1

Flatout = Callable[..., subprocess.CompletedProcess[str]]

TRADE = """
import asyncio
from decimal import Decimal
from engine.session.opening import open_session
from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from engine.setup.settings import load

async def main():
    session = await open_session(load(None, []).settings)
    while any(reason.code == "STARTING" for reason in session.view().reasons) or not session.view().feeds:
        await asyncio.sleep(0.02)
    await session.ask(OpenBracket(id="t%d", symbol="BTC/USD", side=Side.BUY, size=Base(Decimal("0.01")), stop=Away(Decimal("0.05"))))
    while not any(position.protection.value == "venue" for position in session.view().positions):
        await asyncio.sleep(0.02)
    await session.close()

asyncio.run(main())
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / "paper"


@pytest.fixture
def python(tmp_path: Path) -> Flatout:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "FLATOUT_HOME": str(tmp_path / "home"),
            "FLATOUT_SETTINGS": str(tmp_path / "settings.toml"),
        }
        return processes.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )

    return run


def verify(python: Flatout) -> tuple[int, str]:
    done = python("-m", "tui.cli", "journal", "verify")
    return done.returncode, done.stdout + done.stderr


@pytest.mark.hazard("H115")
def test_verify_says_what_the_home_knows_and_the_journal_does_not(
    home: Path, python: Flatout
) -> None:
    assert python("-c", TRADE % 1).returncode == 0
    known = summaries.read(home)
    assert known is not None
    assert known.newest_order
    assert [position.symbol for position in known.positions] == ["BTC/USD"]
    code, text = verify(python)
    assert code == 0, text
    assert f"{known.seq} events: all as they were written" in text

    shutil.copy(home / "journal.sqlite", home / "copy.sqlite")
    assert python("-c", TRADE % 2).returncode == 0
    assert verify(python)[0] == 0
    later = summaries.read(home)
    assert later is not None
    assert later.seq > known.seq
    (home / "journal.sqlite").unlink()
    code, text = verify(python)
    assert code == 1
    assert f"the home knows {later.seq} events and order {later.newest_order}" in text
    assert "there is no journal now" in text

    shutil.copy(home / "copy.sqlite", home / "journal.sqlite")
    code, text = verify(python)
    assert code == 1
    assert (
        f"the journal ends at event {known.seq}: an older copy was put back, or its end was lost"
        in text
    )


@pytest.mark.hazard("H110")
def test_replay_says_that_a_newer_flatout_wrote_it(home: Path, python: Flatout) -> None:
    assert python("-c", TRADE % 1).returncode == 0
    with sqlite3.connect(home / "journal.sqlite") as connection:
        seq, kind, body = connection.execute(
            "SELECT seq, kind, body FROM event ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        assert body.startswith(b'{"v":%d,' % VERSION)
        connection.execute(
            "UPDATE event SET body = ? WHERE seq = ?",
            (body.replace(b'"v":%d' % VERSION, b'"v":%d' % NEWER, 1), seq),
        )
    done = python("-m", "tui.cli", "journal", "replay")
    assert done.returncode == 1
    assert f"event {seq} ({kind}) was written by a newer Flatout, in version {NEWER}" in done.stderr


@pytest.mark.hazard("H110")
def test_a_snapshot_that_cant_be_used_is_told_in_the_log_and_the_position_is_still_known(
    home: Path, python: Flatout
) -> None:
    assert python("-c", TRADE % 1).returncode == 0
    with sqlite3.connect(home / "journal.sqlite") as connection:
        seq, body = connection.execute(
            "SELECT seq, body FROM snapshot ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        newer = zlib.decompress(body).replace(b'"v":%d' % VERSION, b'"v":%d' % NEWER, 1)
        connection.execute(
            "UPDATE snapshot SET body = ?, hash = ? WHERE seq = ?",
            (zlib.compress(newer), digest(newer), seq),
        )
    assert python("-c", TRADE % 1).returncode == 0, "the position of before is there, with its stop"
    log = (home / "flatout.log").read_text(encoding="utf-8")
    assert (
        f"the snapshot of event {seq} is passed over, and all events are read again: version"
        f" {NEWER}" in log
    )
    assert verify(python)[0] == 0
