"""`do = "buy btc 0.5 stop -1%"`: a step of a scenario in the words of the command line."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.rehearsal.scenario.words import ScenarioError

Report = dict[str, Any]
Run = Callable[..., Report]

HEAD = """
name = "lines"
seed = 7
until = "3m"
[account]
profile = "kraken-futures"
[market]
source = "simulated"
symbols = ["PF_XBTUSD"]
volatility = 0.01
[templates.scalp]
stop = "0.5%"
"""


def steps(*lines: str, every: int = 20) -> str:
    rows = [
        f'[[do]]\nat = "{every * number}s"\nid = "l{number}"\n{line}'
        for number, line in enumerate(lines, 1)
    ]
    return HEAD + "\n".join(rows) + "\n"


def test_lines_do_what_steps_do(run: Run) -> None:
    report = run(
        steps(
            "do = 'set @lot = 0.25; buy xbt @lot stop -3% target 3% half, 6% rest'",
            'position = "l1"\nexpect = { positions = 1, size = "0.25", protection = "venue" }',
            "do = 'stop -2%; close 0.1; wait filled within 10s'",
            'position = "l1"\nexpect = { size = "0.15" }',
            "do = 'pause; cancel all; close all; wait flat within 20s; resume'",
            "expect = { flat = true }",
            "do = 'buy @lot template scalp'",
            'position = "l7"\nexpect = { positions = 1, size = "0.25" }',
        )
    )
    assert [told["ok"] for told in report["expectations"]] == [True] * 4, report["expectations"]
    # a view may be older than an entry, so the desk is asked all the same: nothing was left to cancel
    assert [(told["code"], told["value"]) for told in report["refusals"]] == [
        ("NOTHING_TO_DO", "no entry is open")
    ]
    assert not report["invariants"]["violations"]
    assert {p["label"] for p in report["positions"]} == {"l1", "l7"}


def test_a_line_ends_at_what_can_not_be_and_the_report_says_so(run: Run) -> None:
    report = run(
        steps(
            "do = 'buy xbt 0.25 stop -3%; wait filled within 10s; stop -5%; close all'",
            "expect = { positions = 1 }",
            "do = 'buy eth 1'",
            "do = 'buy xbt 100 stop -1%; pause'",
            'expect = { mode = "ACTIVE" }',
        )
    )
    codes = [(row["label"], row["code"]) for row in report["refusals"]]
    assert codes[0] == ("l1", "LINE")
    assert "a wider stop needs a reason" in report["refusals"][0]["text"]
    assert codes[1] == ("l3", "LINE")
    assert "unknown symbol “eth”" in report["refusals"][1]["text"]
    assert codes[2][0] == "l4"
    assert "LINE" not in {code for label, code in codes if label == "l4"}, "the desk said no"
    assert [told["ok"] for told in report["expectations"]] == [True, True]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("'by xbt 1'", "do[1].do is 'by xbt 1'; at 1: unknown command “by”; did you mean buy?"),
        ("'buy xbt 0,5'", "use a point for decimals: 0.5"),
        ("'buy xbt 1 template none-such'", "unknown template"),
        ("'export orders'", "a scenario has no screen, file or other line"),
        ("'cancel wait'", "a scenario has no screen, file or other line"),
        ("5", "expected"),
    ],
)
def test_a_line_is_read_before_anything_runs(run: Run, line: str, says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        run(steps(f"do = {line}"))
    assert says in str(error.value)


def test_the_same_lines_give_the_same_report(run: Run) -> None:
    text = steps("do = 'buy xbt 0.25 stop -3%; wait filled within 10s; trail 0.5%'")
    first, second = run(text), run(text)
    first.pop("wall"), second.pop("wall")
    assert first == second


def test_a_price_alert_outlives_a_crash_and_is_told_once(run: Run) -> None:
    report = run(
        steps(
            'alert = { symbol = "PF_XBTUSD", price = "1000000", text = "never" }',
            "do = 'alert xbt < bid-2% look'",
            "expect = { price_alerts = 2 }",
            "crash = true",
            'market = { symbol = "PF_XBTUSD", move = "-5%" }',
            'expect = { price_alerts = 1, alert = "PRICE_ALERT" }',
            'alert = { symbol = "PF_XBTUSD", price = "1" , rises = true }',
        )
    )
    assert all(one["ok"] for one in report["expectations"]), report["expectations"]
    told = [alert["text"] for alert in report["alerts"] if alert["code"] == "PRICE_ALERT"]
    assert len(told) == 1
    assert told[0].endswith(": look")
    assert [refusal["code"] for refusal in report["refusals"]] == ["ALERT_REACHED"]
    assert report["invariants"]["violations"] == []


def test_a_limit_exit_leaves_beside_its_stop_after_a_crash(run: Run) -> None:
    report = run(
        steps(
            "do = 'buy xbt 0.5 stop -3%'",
            "do = 'close xbt 0.2 at ask+1%'",
            'position = "l1"\nclose = { part = "50%", price = "join" }',
            "crash = true",
            'market = { symbol = "PF_XBTUSD", move = "3%" }',
            'position = "l1"\nexpect = { size = "0.05", protection = "venue", naked = 0 }',
        )
    )
    assert all(one["ok"] for one in report["expectations"]), report["expectations"]
    exits = [order for order in report["orders"] if order["role"] == "target"]
    assert sorted(order["filled"] for order in exits) == ["0.2", "0.25"]
    assert all(order["reduce_only"] for order in exits)
    assert report["refusals"] == []
    assert report["invariants"]["violations"] == []


def test_a_scenario_adds_a_symbol_and_trades_it(run: Run) -> None:
    report = run(
        steps(
            "do = 'watch add PF_ETHUSD; buy pf_ethusd 1 stop -3%; wait filled within 10s'",
            "expect = { positions = 1 }",
            "do = 'watch drop pf_ethusd'",
            "do = 'close all; wait flat within 20s'",
            "do = 'watch drop pf_ethusd'",
            "do = 'watch add none-such'",
        )
    )
    assert [told["ok"] for told in report["expectations"]] == [True], report["refusals"]
    told = [(row["label"], row["text"]) for row in report["refusals"]]
    assert [label for label, _ in told] == ["l3", "l6"], told
    assert "PF_ETHUSD can't be dropped: long 1 is open in it; close it first" in told[0][1]
    assert "unknown symbol “none-such”; allowed: PF_XBTUSD" in told[1][1]
    assert not report["invariants"]["violations"]
