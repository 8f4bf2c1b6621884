"""The commands that work without a console, and beside one, as a person types them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.custody import HOLD

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def flatout(home: Path, tmp_path: Path) -> Run:
    """Runs the command in a process of its own."""

    def run(*words: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "FLATOUT_HOME": str(home),
            "FLATOUT_SETTINGS": str(tmp_path / "settings.toml"),
        }
        command = [sys.executable, "-m", "tui.cli", *words]
        return processes.run(
            command, capture_output=True, text=True, env=environment, timeout=timeout, check=False
        )

    return run


@pytest.fixture
def holding(home: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the account and a position, as a console would."""
    environment = {
        **os.environ,
        "FLATOUT_HOME": str(home),
        "FLATOUT_SETTINGS": str(tmp_path / "settings.toml"),
    }
    process = processes.Popen(
        [sys.executable, "-c", HOLD, "paper", "BTC/USD"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "holding"
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def ended(holding: subprocess.Popen[str]) -> None:
    """An account with a position, whose engine ended in order."""
    holding.terminate()
    holding.wait(20)


@pytest.mark.hazard("H128")
@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("flatten", "--yes"),
        ("flatten",),
        ("journal", "tail"),
        ("export", "fills"),
        ("timeline", "P1"),
        ("status", "--venue"),
    ],
)
def test_looking_and_flattening_make_no_account(
    words: tuple[str, ...], flatout: Run, home: Path
) -> None:
    (home / "main").mkdir(parents=True)
    (home / "main" / "journal.sqlite").touch()
    told = flatout("--account", "mian", *words)
    assert told.returncode == 2, told.stdout
    assert "no account is called mian" in told.stderr
    assert "did you mean main?" in told.stderr
    assert [each.name for each in home.iterdir()] == ["main"], "an account was made"


def test_a_timeline_is_told_by_the_engine_that_holds_the_account(
    flatout: Run, holding: subprocess.Popen[str]
) -> None:
    assert holding.poll() is None
    orders = json.loads(flatout("export", "orders", "--format", "json").stdout)
    position = orders[0]["position"]
    told = flatout("timeline", position)
    assert told.returncode == 0, told.stderr
    assert " place stop " in told.stdout
    assert " now " in told.stdout, "only an engine knows what is so now"
    assert flatout("timeline", "nobody").returncode == 1


@pytest.mark.usefixtures("ended")
def test_a_timeline_is_read_from_the_journal_of_a_stopped_account(flatout: Run) -> None:
    orders = json.loads(flatout("export", "orders", "--format", "json").stdout)
    told = json.loads(flatout("timeline", orders[0]["position"], "--json").stdout)
    assert {"request", "answer"} <= {step["kind"] for step in told["steps"]}
    assert "now" not in {step["kind"] for step in told["steps"]}


def test_status_asks_the_engine_that_holds_the_account(
    flatout: Run, holding: subprocess.Popen[str]
) -> None:
    told = flatout("status", "--json")
    assert told.returncode == 0, told.stderr
    view = json.loads(told.stdout)
    assert [position["symbol"] for position in view["positions"]] == ["BTC/USD"]
    assert view["positions"][0]["protection"] == "venue"
    assert holding.poll() is None


def test_flatten_asks_first(flatout: Run, holding: subprocess.Popen[str]) -> None:
    told = flatout("flatten")
    assert told.returncode != 0
    assert "--yes" in told.stdout


def test_flatten_beside_a_running_engine_closes_everything(
    flatout: Run, holding: subprocess.Popen[str]
) -> None:
    told = flatout("flatten", "--yes")
    assert told.returncode == 0, told.stderr
    assert "the venue says flat" in told.stdout
    assert json.loads(flatout("status", "--json").stdout)["positions"] == []


def test_flatten_beside_an_engine_that_hangs(flatout: Run, holding: subprocess.Popen[str]) -> None:
    holding.send_signal(signal.SIGSTOP)
    told = flatout("flatten", "--yes")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "going to the venue directly" in told.stdout
    assert "the venue says flat" in told.stdout


def test_flatten_with_a_damaged_journal(
    flatout: Run, holding: subprocess.Popen[str], home: Path
) -> None:
    holding.kill()
    holding.wait()
    for leftover in (home / "paper").glob("journal.sqlite*"):
        leftover.unlink()
    (home / "paper" / "journal.sqlite").write_bytes(b"this is not a database" * 500)
    told = flatout("flatten", "--yes")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "the venue says flat" in told.stdout


def test_a_killed_engine_finds_everything_as_it_was(
    flatout: Run, holding: subprocess.Popen[str]
) -> None:
    holding.kill()
    holding.wait()
    told = flatout("status", "--json")
    assert told.returncode == 5, "a position is open and nobody watches it"
    view = json.loads(told.stdout)
    assert [position["protection"] for position in view["positions"]] == ["venue"]
    assert view["mode"] == "ACTIVE"
    assert flatout("journal", "verify").returncode == 0


def test_an_orderly_end_on_sigterm_leaves_the_stop_resting(
    flatout: Run, holding: subprocess.Popen[str]
) -> None:
    assert holding.stdout is not None
    holding.send_signal(signal.SIGTERM)
    assert holding.stdout.readline().strip() == "closed"
    assert holding.wait(20) == 0
    orders = [
        row
        for row in json.loads(flatout("export", "orders", "--format", "json").stdout)
        if row["role"] == "stop"
    ]
    assert [row["status"] for row in orders] == ["open"]


@pytest.mark.usefixtures("ended")
def test_journal_verify_says_where_it_was_changed(flatout: Run, home: Path) -> None:
    import sqlite3

    with sqlite3.connect(home / "paper" / "journal.sqlite") as database:
        database.execute("update event set body = replace(body, 'paper', 'PAPER') where seq = 3")
        database.execute("update event set at = at + 1 where seq = 4")
    database.close()
    told = flatout("journal", "verify")
    assert told.returncode == 1
    assert "4" in told.stdout


@pytest.mark.usefixtures("ended")
def test_journal_tail_and_replay(flatout: Run) -> None:
    tail = flatout("journal", "tail", "-n", "3")
    assert len(tail.stdout.splitlines()) == 3
    assert json.loads(flatout("journal", "replay").stdout)["account"] == "paper"


@pytest.mark.usefixtures("ended")
def test_exports_in_every_format(flatout: Run, tmp_path: Path) -> None:
    for what in ("orders", "fills", "positions", "alerts", "equity", "blotter"):
        assert flatout("export", what).returncode == 0
    ended = json.loads(flatout("export", "blotter", "--format", "json").stdout)
    assert all({"net", "r", "mae_r", "fees"} <= row.keys() for row in ended)
    lines = flatout("export", "fills").stdout.splitlines()
    assert lines[0].startswith("execution_id,")
    assert len(lines) >= 2
    pytest.importorskip("pyarrow")
    assert flatout("export", "fills", "--format", "parquet").returncode == 2
    target = tmp_path / "fills.parquet"
    assert flatout("export", "fills", "--format", "parquet", "-o", str(target)).returncode == 0
    assert target.stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "risk.max_postions=3", "status"), "did you mean risk.max_positions?"),
        (("--set", "risk.max_positions=many", "status"), "risk.max_positions is 'many'"),
        (("--set", "nonsense", "status"), "section.name=value"),
        (("--settings", "nowhere.toml", "status"), "there is no file nowhere.toml"),
        (("--profile", "mtgox", "status"), "allowed: binance-spot, kraken-futures, kraken-spot"),
        (("--account", "a/b", "status"), "account.name"),
        (("journal", "verify"), "no account is called paper"),
        (("run", "nowhere.toml"), "nowhere.toml: it can't be read"),
        (("run", "--resume", "nowhere.toml"), "--resume needs --home"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], says: str, flatout: Run) -> None:
    told = flatout(*words)
    assert told.returncode == 2
    assert says in told.stderr
    assert "Traceback" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


def test_settings_say_where_they_came_from(flatout: Run, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[risk]\nmax_positions = 4\n")
    told = flatout("--set", "console.fps=5", "settings")
    assert "max_positions = 4  # " in told.stdout
    assert "settings.toml" in told.stdout
    assert "fps = 5  # --set" in told.stdout
    every = flatout("settings", "--all").stdout
    assert "# Open positions plus entries in flight." in every


def test_settings_of_a_symbol_say_where_they_came_from_and_which_of_them_nobody_reads(
    flatout: Run, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text(
        '[symbols."BTC/USD"]\nmax_size = 2\n[symbols."LTC/USD"]\nstop = 0.01\n'
    )
    told = flatout("--set", "symbols.BTC/USD.taker_fee=0.001", "settings").stdout.splitlines()
    lines = {line.strip().partition(" = ")[0]: line for line in told}
    assert '[symbols."BTC/USD"]' in told
    assert lines["max_size"].endswith(f"max_size = 2  # {tmp_path / 'settings.toml'}")
    assert lines["taker_fee"].endswith("taker_fee = 0.001  # --set")
    assert lines["stop"].endswith("; not read: this account does not trade LTC/USD")
    every = flatout("settings", "--all").stdout
    assert "# Largest entry, in the base currency (spot) or contracts." in every
    assert "entry_lifetime = unset  # default" in every


@pytest.mark.usefixtures("ended")
def test_nothing_of_the_home_is_readable_by_others(home: Path) -> None:
    assert (home / "paper" / "identity.json").exists()
    for path in (home / "paper").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_second_session_looks_on(
    flatout: Run, holding: subprocess.Popen[str], home: Path
) -> None:
    time.sleep(0.2)
    code = (
        "import asyncio\nfrom engine.model.intent import Pause\nfrom engine.session.opening import"
        " open_session\nfrom engine.setup.settings import load\nasync def main():\n    s = await"
        " open_session(load(None, []).settings)\n    a = await s.ask(Pause(id='x'))\n   "
        " print(s.read_only, a.refusals[0].text)\n    await s.close()\nasyncio.run(main())\n"
    )
    environment = {**os.environ, "FLATOUT_HOME": str(home)}
    told = processes.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=30,
    )
    assert told.stdout.startswith("True this console is read-only; process "), told.stderr
