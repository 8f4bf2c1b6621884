"""`flatout exchange` and `flatout run` against it: two processes, as a user has them; and either of
them killed.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes

pytestmark = pytest.mark.slow

KEY, SECRET = "K", "c2VjcmV0c2VjcmV0"
FLATOUT = [sys.executable, "-m", "tui.cli"]
SCENARIO = """
name = "wire"
seed = 3
until = "5s"
[account]
venue = "{venue}"
rest = "{rest}"
ws = "{ws}"
[market]
source = "venue"
symbols = ["{symbol}"]
[settings]
"account.lag" = 0
"account.limits" = {{ tier = "pro" }}
[[do]]
at = "0.2s"
id = "e1"
open = {{ symbol = "{symbol}", side = "buy", type = "market", size = "0.1", stop = "1%", target = "2%" }}
[[do]]
at = "1.5s"
position = "e1"
move_stop = {{ stop = "0.5%" }}
[[do]]
at = "2.5s"
{end}
"""


@contextmanager
def _exchange(*more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    tier = [] if "kraken-futures" in more else ["--tier", "pro"]  # with a starter's most is waiting
    process = processes.Popen(
        [*FLATOUT, "exchange", "--key", KEY, "--secret", SECRET, *tier, *more],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _run(scenario: Path, report: Path, *more: str) -> int:
    environment = {**os.environ, "FLATOUT_KEY": KEY, "FLATOUT_SECRET": SECRET}
    command = [*FLATOUT, "run", str(scenario), "--report", str(report), "--quiet", *more]
    return processes.run(command, env=environment, timeout=120, check=False).returncode


def _truth(ready: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(f"{ready['rest']}/truth?requests=false", timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


@pytest.mark.parametrize(
    ("venue", "profile", "symbol"),
    [("kraken", "kraken-spot", "BTC/USD"), ("krakenfutures", "kraken-futures", "PF_XBTUSD")],
)
def test_a_scenario_trades_at_an_exchange_in_another_process(
    venue: str, profile: str, symbol: str, tmp_path: Path
) -> None:
    with _exchange("--profile", profile, "--symbols", symbol) as (_, ready):
        scenario, report = tmp_path / "s.toml", tmp_path / "r.json"
        scenario.write_text(
            SCENARIO.format(venue=venue, symbol=symbol, end="flatten = true", **ready)
        )
        assert _run(scenario, report) == 0
        told, truth = json.loads(report.read_text()), _truth(ready)
    assert not told["invariants"]["violations"]
    assert [position["close_reason"] for position in told["positions"]] == ["flatten"]
    assert {fill["execution_id"] for fill in told["fills"]} == {
        fill["execution_id"] for fill in truth["executions"]
    }
    assert all(order["status"] != "open" for order in truth["orders"])


@pytest.mark.long
@pytest.mark.hazard("H86")
def test_a_scenario_trades_at_an_exchange_on_a_bad_day(tmp_path: Path) -> None:
    """Rows lack fields, fees come in two currencies, the clock is ahead, pages stand in for
    answers: the account is what the exchange says.
    """
    day = tmp_path / "day.toml"
    day.write_text(
        '[exchange]\nodd_rows = true\nfee_credits = true\nahead = "7s"\nerror_page = 0.05\npages ='
        " [429, 502, 520]\n"
    )
    with _exchange("--symbols", "BTC/USD", "--faults", str(day)) as (_, ready):
        scenario, report = tmp_path / "s.toml", tmp_path / "r.json"
        text = SCENARIO.format(venue="kraken", symbol="BTC/USD", end="flatten = true", **ready)
        text = text.replace('until = "5s"', 'until = "25s"')
        scenario.write_text(text)
        # an answer that a page replaced may leave a difference standing for a while
        assert _run(scenario, report) in (0, 1)
        told, truth = json.loads(report.read_text()), _truth(ready)
    assert {fill["execution_id"] for fill in told["fills"]} == {
        fill["execution_id"] for fill in truth["executions"]
    }
    assert all(order["status"] != "open" for order in truth["orders"])
    assert not truth["accounts"]["net"] or all(
        abs(float(size)) < 1e-4 for size in truth["accounts"]["net"].values()
    )
    skipped = [alert["text"] for alert in told["alerts"] if alert["code"] == "ROW_SKIPPED"]
    assert skipped, "a bad day is told"
    assert not [alert for alert in told["alerts"] if alert["code"] == "UNPRICED_FEE"]


def test_several_keys_and_tls_are_told_in_the_first_line(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()  # it may be there from the last time
    with _exchange("--keys", "3", "--tls", str(tmp_path / "tls")) as (_, ready):
        assert len({key["key"] for key in ready["keys"]} | {ready["key"]}) == 3
        assert ready["rest"].startswith("https://")
        assert ready["ws"].startswith("wss://")
        assert Path(ready["certificate"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_an_exchange_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    state = str(tmp_path / "exchange.sqlite")
    scenario, report, home = tmp_path / "s.toml", tmp_path / "r.json", str(tmp_path / "home")
    with _exchange("--symbols", "BTC/USD", "--state", state) as (process, ready):
        scenario.write_text(
            SCENARIO.format(
                venue="kraken", symbol="BTC/USD", end="expect = { positions = 1 }", **ready
            )
        )
        assert _run(scenario, report, "--home", home) == 0
        before = _truth(ready)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with _exchange("--symbols", "BTC/USD", "--state", state) as (_, ready):
        after = _truth(ready)
        assert after["accounts"] == before["accounts"]
        working = [
            order["client_order_id"] for order in before["orders"] if order["status"] == "open"
        ]
        assert working
        assert [
            order["client_order_id"] for order in after["orders"] if order["status"] == "open"
        ] == working
        scenario.write_text(
            SCENARIO.format(
                venue="kraken", symbol="BTC/USD", end="flatten = true", **ready
            ).replace('"0.2s"', '"0.1s"', 1)
        )
        assert _run(scenario, report, "--home", home, "--resume") == 0
        assert not any(order["status"] == "open" for order in _truth(ready)["orders"])


def test_an_engine_that_was_killed_leaves_its_stop_and_flat_is_one_command_away(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "FLATOUT_KEY": KEY, "FLATOUT_SECRET": SECRET}
    with _exchange("--symbols", "BTC/USD") as (_, ready):
        scenario, report, home = tmp_path / "s.toml", tmp_path / "r.json", tmp_path / "home"
        scenario.write_text(
            SCENARIO.format(
                venue="kraken", symbol="BTC/USD", end="expect = { positions = 1 }", **ready
            ).replace('"5s"', '"60s"')
        )
        engine = processes.Popen(
            [
                *FLATOUT,
                "run",
                str(scenario),
                "--report",
                str(report),
                "--quiet",
                "--home",
                str(home),
            ],
            env=environment,
        )
        deadline = time.monotonic() + 20
        while not any(
            order["status"] == "open" and order["type"] == "stop"
            for order in _truth(ready)["orders"]
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        engine.kill()
        engine.wait()
        held = _truth(ready)
        assert held["accounts"]["cash"]["BTC"] > 0
        assert any(
            order["status"] == "open" and order["type"] == "stop" for order in held["orders"]
        ), "protected while nobody is there"
        name = (home / "account.name").read_text().strip()
        there = [
            f"account.name={name}",
            "account.venue=kraken",
            f"account.rest={ready['rest']}",
            f"account.ws={ready['ws']}",
            'account.limits={ tier = "pro" }',
        ]
        there.append('market.symbols=["BTC/USD"]')
        flags = [part for flag in there for part in ("--set", flag)]
        flat = processes.run(
            [*FLATOUT, "--home", str(tmp_path / "other"), *flags, "flatten", "--yes"],
            env=environment,
            timeout=120,
            check=False,
        )
        assert flat.returncode == 0
        after = _truth(ready)
    assert not any(order["status"] == "open" for order in after["orders"])


def test_what_can_not_be_served_is_one_sentence(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text("lose_reply = 7\n")
    day = tmp_path / "day.toml"
    day.write_text('[exchange]\nmode = "closed"\n')
    for more, wanted in (
        (["--faults", str(day)], "exchange.mode is 'closed'; allowed: online"),
        (["--cash", "USD=-1"], "--cash is 'USD=-1'"),
        (["--faults", str(faults)], "faults.lose_reply is 7"),
        (["--secret", "not base64!"], "--secret is not base64"),
    ):
        told = processes.run(
            [*FLATOUT, "exchange", *more], capture_output=True, text=True, timeout=60, check=False
        )
        assert told.returncode == 2
        assert wanted in told.stderr
        assert "Traceback" not in told.stderr


def test_a_futures_exchange_behaves_as_its_file_says(tmp_path: Path) -> None:
    habits = tmp_path / "habits.toml"
    habits.write_text('[futures]\nstatus_by = ["GET"]\ndrops = { tickers = ["markPrice"] }\n')
    with _exchange("--profile", "kraken-futures", "--faults", str(habits)) as (_, ready):
        with urllib.request.urlopen(
            f"{ready['rest']}/derivatives/api/v3/tickers", timeout=10
        ) as answer:
            assert "markPrice" not in answer.read().decode()
        status = f"{ready['rest']}/derivatives/api/v3/orders/status"
        with urllib.request.urlopen(status, timeout=10) as answer:
            assert json.loads(answer.read())["error"] == "authenticationError", "a GET is looked at"
        with pytest.raises(urllib.error.HTTPError, match="405"):
            urllib.request.urlopen(urllib.request.Request(status, method="POST"), timeout=10)
    habits.write_text('[futures]\nedits = "whole"\n')
    failed = processes.run(
        [*FLATOUT, "exchange", "--profile", "kraken-futures", "--faults", str(habits)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert failed.returncode == 2
    assert "futures.edits is 'whole'; allowed: documented, remaining, total" in failed.stderr
