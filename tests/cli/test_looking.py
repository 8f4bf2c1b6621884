"""Commands that look send nothing: with a position held, its stop resting, the engine dead and the
journal lost.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.clock import Clock
from engine.desk.codec import encode
from engine.desk.events import Sampled
from engine.exchange.store import Store
from engine.journal import Batch, Journal, Record
from engine.model.order import Order, OrderType, Role
from engine.model.request import Lane
from engine.model.side import Side
from engine.venues.looking import Seen
from engine.venues.protocol import RefusedError
from tests.support.custody import Place, changes, exchange, facts, holding, truth
from tests.support.exchange import SYMBOLS, serving
from tui.cli import main

pytestmark = pytest.mark.slow

LOOKS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "--venue", "--json"),
    ("doctor",),
    ("journal", "verify"),
    ("journal", "tail"),
    ("journal", "replay"),
    ("export", "orders"),
    ("report",),
    ("settings",),
    ("accounts",),
)
VENUES: tuple[tuple[str, ...], ...] = (("status",), ("doctor",))
"""Of those the ones that speak another dialect at the other exchange; `status --venue` is asked in
any case.
"""
EXCHANGES = [
    ("kraken", "kraken-spot", "BTC/USD", LOOKS),
    ("krakenfutures", "kraken-futures", "PF_XBTUSD", VENUES),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home", tmp_path / "settings.toml")


def name_main(place: Place, venue: str, symbol: str, rest: str, ws: str) -> None:
    """Write [accounts.main], so that --account main is enough for every command."""
    place.settings.write_text(
        f'[accounts.main]\nvenue = "{venue}"\nrest = "{rest}"\nws = "{ws}"\nsymbols ='
        f' ["{symbol}"]\n'
    )


@pytest.mark.hazard("H102")
@pytest.mark.parametrize(
    ("venue", "profile", "symbol", "looks"), EXCHANGES, ids=["spot", "futures"]
)
def test_no_command_that_looks_sends_anything_to_the_exchange(
    place: Place, venue: str, profile: str, symbol: str, looks: tuple[tuple[str, ...], ...]
) -> None:
    tier = ["--tier", "pro"] if profile == "kraken-spot" else []
    with exchange("--profile", profile, "--symbols", symbol, *tier) as ready:
        name_main(place, venue, symbol, ready["rest"], ready["ws"])
        with holding(place, "main", symbol) as engine:
            engine.kill()
            engine.wait()
        place.lose_journal("main")
        before = truth(ready)
        resting = [
            order["client_order_id"] for order in before["orders"] if order["status"] == "open"
        ]
        assert resting, "the stop never rested: the case shows nothing"
        for words in looks:
            told = place.flatout("--account", "main", *words)
            assert "Traceback" not in told.stderr, f"{words}: {told.stderr}"
        asked = place.flatout("--account", "main", "status", "--venue")
        after = truth(ready)
    assert changes(after) == changes(before), "a command that only looks changed something"
    assert [
        order["client_order_id"] for order in after["orders"] if order["status"] == "open"
    ] == resting
    assert asked.returncode == 5, asked.stdout + asked.stderr
    assert f"main · {venue} · LIVE: no engine runs; the venue says" in asked.stdout
    assert f"held      0.1 {symbol}" in asked.stdout


@pytest.mark.hazard("H102")
def test_no_command_that_looks_touches_a_paper_account(place: Place) -> None:
    with holding(place, "paper") as engine:
        engine.kill()
        engine.wait()
    known = place.flatout("status")
    place.lose_journal("paper")
    file = place.home / "paper" / "paper.sqlite"
    before, names = (
        facts(file),
        sorted(
            path.name for path in file.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))
        ),
    )
    for words in LOOKS:
        told = place.flatout(*words)
        assert "Traceback" not in told.stderr, f"{words}: {told.stderr}"
    unknown, asked = place.flatout("status"), place.flatout("status", "--venue")
    assert facts(file) == before, "looking changed the paper account, or took it over"
    assert (
        sorted(
            path.name for path in file.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))
        )
        == names
    )
    assert known.returncode == 5, known.stdout + known.stderr
    assert "paper · paper · PAPER: no engine runs; last known at 20" in known.stdout
    assert "nothing watches 1 position, 1 order of ours open" in known.stdout
    assert any(
        line.startswith("  position  BTC/USD LONG 0.1") for line in known.stdout.splitlines()
    ), known.stdout
    assert unknown.returncode == 5, "the home's summary still knows what was open"
    assert asked.returncode == 5
    assert "held      0.1 BTC/USD" in asked.stdout


def looked(place: Place, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """A command in this process, where a sabotage can reach it."""
    for name, value in place.environment.items():
        if name.startswith("FLATOUT"):
            monkeypatch.setenv(name, value)
    return CliRunner().invoke(main, list(words))


@pytest.mark.hazard("H102")
def test_status_with_a_lost_journal_leaves_the_stop_at_the_exchange(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with exchange("--symbols", "BTC/USD") as ready:
        name_main(place, "kraken", "BTC/USD", ready["rest"], ready["ws"])
        with holding(place, "main") as engine:
            engine.kill()
            engine.wait()
        place.lose_journal("main")
        before = truth(ready)
        told = looked(place, monkeypatch, "--account", "main", "status")
        after = truth(ready)
    assert changes(after) == changes(before), "a command that only looks changed something"
    assert [order for order in after["orders"] if order["status"] == "open"], "the stop is gone"
    assert (told.exit_code, "nothing watches 1 position" in told.output) == (5, True), told.output
    assert "its journal is not there; what follows is the home's summary" in told.output


@pytest.mark.hazard("H102")
@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_the_line_of_a_looking_venue_carries_nothing_but_questions(
    name: str, tmp_path: Path
) -> None:
    async with serving(name) as there:
        there.keep_key(tmp_path)
        account, clock = there.account(), Clock(asyncio.get_running_loop())
        kept = (account.name, account.venue, account.profile, account.limits, SYMBOLS[name])
        door = Seen(*kept, rest=account.rest, ws=account.ws, currency="USD", timeout=3.0)
        looking, validating = door.looking(tmp_path, clock), door.validating(tmp_path, clock)
        try:
            instrument = (await looking.instruments())[0]
            order = Order(
                "FOTEST",
                "",
                instrument.symbol,
                Side.BUY,
                OrderType.LIMIT,
                Role.ENTRY,
                instrument.min_size,
                price=instrument.tick * 1000,
            )
            await validating.instruments()
            for venue in (looking._venue, validating._venue):
                for method, fields in (
                    ("private_post_addorder", venue.fields(order)),  # type: ignore[attr-defined]
                    ("private_post_sendorder", venue.fields(order)),  # type: ignore[attr-defined]
                ):
                    with pytest.raises(RefusedError, match="is no question"):
                        await venue.rest.private(method, fields, Lane.ENTRY)
                for method in (
                    "private_post_cancelorder",
                    "private_post_cancelall",
                    "private_post_amendorder",
                    "private_post_editorder",
                ):
                    with pytest.raises(RefusedError, match="is no question"):
                        await venue.rest.private(method, {}, Lane.CANCEL)
            picture = await looking.picture(0)
            assert picture.balances
        finally:
            await looking.close()
            await validating.close()
        sent = changes(there.world.truth())  # type: ignore[attr-defined]
    assert sent == [], "a looking venue sent something"


@pytest.mark.hazard("H102")
@pytest.mark.parametrize(
    "module",
    [
        "tui.cli.status",
        "tui.cli.journal",
        "tui.cli.export",
        "tui.cli.report",
        "tui.cli.rewind",
        "tui.cli.settings",
        "tui.cli.accounts",
        "tui.cli.doctor",
        "tui.cli.record",
    ],
)
def test_what_looks_never_loads_what_sends(module: str) -> None:
    sends = (
        "engine.runtime",
        "engine.session.local",
        "engine.setup.environments",
        "engine.setup.factories",
        "engine.emergency",
        "engine.venues.paper",
    )
    code = f"import sys, {module}; print([name for name in {sends!r} if name in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.strip() == "[]", f"{module} loads {told.stdout}"


HEAVY = ("sqlalchemy", "sqlmodel", "alembic", "aiohttp", "ccxt")
RUN = f"""
import json, sys
from tui.cli import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as ended:
        print("exit", ended.code)
print("loaded", [name for name in {HEAVY!r} if name in sys.modules])
"""


def test_what_looks_at_a_file_loads_no_database_library_and_no_line(tmp_path: Path) -> None:
    """They take half a second of CPU, and a trader asks for the status in a hurry."""
    home = tmp_path / "paper"
    journal = Journal.open(home / "journal.sqlite", "paper", "test", now=5, inline=True)
    journal.start(lambda _: None, print)
    sampled = Sampled(5, Decimal(1_000), Decimal(0), {})
    journal.append(Batch((Record(5, "sampled", encode(sampled)),)))
    journal.close()
    Store(home / "paper.sqlite").close()
    words = [
        ("status",),
        ("accounts",),
        ("journal", "tail"),
        ("journal", "verify"),
        ("export", "equity"),
        ("export", "orders"),
        ("export", "trades", "--format", "json"),
    ]
    given = [["--home", str(tmp_path), "--set", "account.venue=paper", *each] for each in words]
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(given)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"FLATOUT_SETTINGS": str(tmp_path / "none.toml")},
    )
    assert "sampled" in done.stdout, done.stdout + done.stderr
    assert "exit 2" not in done.stdout, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "loaded []"


# What status says


def test_status_beside_an_engine_asks_it(place: Place) -> None:
    with holding(place, "paper") as engine:
        told = place.flatout("status", "--json")
        assert told.returncode == 0, told.stderr
        view = json.loads(told.stdout)
        assert (view["engine"]["pid"], view["known_at"]) == (engine.pid, None)
        assert [position["protection"] for position in view["positions"]] == ["venue"]
        engine.send_signal(signal.SIGSTOP)
        hung = place.flatout("status")
        assert hung.returncode == 6, hung.stdout
        assert "does not answer" in hung.stdout
        assert "nothing watches 1 position" in hung.stdout


def test_status_of_an_account_that_ended_flat_is_done(place: Place) -> None:
    with holding(place, "paper"):
        assert place.flatout("flatten", "--yes").returncode == 0
    told = place.flatout("status", "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    view = json.loads(told.stdout)
    assert (view["engine"], view["positions"]) == (None, [])
    assert view["known_at"] > 0


def test_status_says_that_a_last_exit_was_at_work(place: Place) -> None:
    """The journal still has the position: whoever looks after an emergency must not read that
    nothing watches it.
    """
    with holding(place, "paper") as engine:
        engine.send_signal(signal.SIGSTOP)
        assert place.flatout("flatten", "--yes", timeout=90).returncode == 0
    told = place.flatout("status")
    assert "a last exit ended FLAT at" in told.stdout, told.stdout
    assert told.returncode == 0


@pytest.mark.hazard("H118")
def test_status_is_a_line_a_thing_and_shows_no_escape_of_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(place, "paper"):
        told = looked(place, monkeypatch, "status")
    assert "\\u000a" not in told.output
    assert [
        line for line in told.output.splitlines() if line.startswith("  position  BTC/USD LONG")
    ], told.output
