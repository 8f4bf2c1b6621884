"""Half at the first target, the rest at the second, from outside: what the exchange filled, and
what rested when.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.rehearsal.scenario.words import ScenarioError

Report = dict[str, Any]
Run = Callable[..., Report]
D = Decimal
PROFILES = ("kraken-spot", "kraken-futures", "binance-spot")


def told(
    run: Run,
    steps: str,
    profile: str = "kraken-spot",
    settings: str = "",
    faults: str = "",
    seed: int = 5,
) -> Report:
    return run(
        f'name = "parts"\nseed = {seed}\nuntil = "10m"\n[account]\nprofile ='
        f' "{profile}"\n[market]\nsource = "simulated"\nsymbols ='
        ' ["BTC/USD"]\n[settings]\n"risk.max_limit_distance" ='
        f' "0.9"\n{settings}\n{faults}\n{steps}'
    )


def open_(
    terms: str = 'target = "4%", targets = [{ at = "2%", part = "50%" }]', side: str = "buy"
) -> str:
    return (
        f'[[do]]\nat = "10s"\nid = "a"\nopen = {{ symbol = "BTC/USD", side = "{side}", size ='
        f' "0.2", stop = "2%", {terms} }}\n'
    )


def move(by: str, at: str = "1m") -> str:
    return f'[[do]]\nat = "{at}"\nmarket = {{ symbol = "BTC/USD", move = "{by}", over = "20s" }}\n'


def sold(report: Report, side: str = "sell") -> list[tuple[Decimal, Decimal]]:
    """Size and price of what left, order by order."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for fill in report["fills"]:
        if fill["side"] == side:
            size, _ = found.get(fill["client_order_id"], (D(0), D(0)))
            found[fill["client_order_id"]] = (size + D(fill["size"]), D(fill["price"]))
    return list(found.values())


def clean(report: Report) -> Report:
    assert not report["invariants"]["violations"], report["invariants"]["violations"]
    return report


@pytest.mark.parametrize("profile", PROFILES)
def test_the_first_half_leaves_at_the_first_target_and_the_rest_stays_protected(
    profile: str, run: Run
) -> None:
    report = clean(told(run, open_() + move("2.8%"), profile))
    (position,) = report["positions"]
    assert D(position["held"]) * 2 == D(position["size"])
    assert position["closed_at"] is None
    assert position["protection"] == "venue"
    stops = [
        order for order in report["orders"] if order["role"] == "stop" and order["status"] == "open"
    ]
    assert [D(order["size"]) - D(order["filled"]) for order in stops] == [D(position["held"])], (
        "the stop shrank with it"
    )
    assert position["naked_seconds"] in ("0", "0.0") or D(position["naked_seconds"]) < 2


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rest_leaves_at_the_second_target(profile: str, run: Run) -> None:
    report = clean(told(run, open_() + move("2.8%") + move("2.5%", "3m"), profile))
    (position,) = report["positions"]
    assert position["closed_at"] is not None
    assert position["close_reason"] == "target"
    assert D(position["held"]) == 0
    entry, left = D(position["entry_price"]), sold(report)
    at_first = sum(size for size, price in left if price < entry * D("1.035"))
    assert at_first * 2 == D(position["size"])
    assert sum(size for size, _ in left) == D(position["size"])
    assert all(price >= entry * D("1.0195") for _, price in left)
    assert not [
        order for order in report["orders"] if order["status"] in ("open", "partially-filled")
    ]


@pytest.mark.hazard("H40")
def test_where_targets_rest_each_part_has_its_own_order_at_the_venue(run: Run) -> None:
    report = clean(told(run, open_(), "kraken-futures"))
    targets = [order for order in report["orders"] if order["role"] == "target"]
    (position,) = report["positions"]
    entry = D(position["entry_price"])
    assert [
        (D(o["size"]), round(D(o["price"]) / entry, 2), o["status"], o["reduce_only"])
        for o in targets
    ] == [
        (D("0.1"), D("1.02"), "open", True),
        (D("0.1"), D("1.04"), "open", True),
    ]
    assert [D(row["size"]) for row in position["targets"]] == [D("0.1")]
    watched = clean(told(run, open_(), "kraken-futures", '"protection.target_order" = "trigger"'))
    assert not [order for order in watched["orders"] if order["role"] == "target"]


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_a_short_has_parts_as_well(profile: str, run: Run) -> None:
    report = clean(told(run, open_(side="sell") + move("-2.8%"), profile))
    (position,) = report["positions"]
    assert D(position["held"]) * 2 == D(position["size"])
    assert position["protection"] == "venue"


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_parts_survive_a_crash_before_and_after_the_first(profile: str, run: Run) -> None:
    crash = '[[do]]\nat = "{}"\ncrash = true\n'
    report = clean(
        told(
            run,
            open_() + crash.format("30s") + move("2.8%") + crash.format("2m") + move("2.5%", "4m"),
            profile,
        )
    )
    (position,) = report["positions"]
    entry, left = D(position["entry_price"]), sold(report)
    assert sum(size for size, price in left if price < entry * D("1.035")) * 2 == D(
        position["size"]
    )
    assert sum(size for size, _ in left) == D(position["size"])


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_after_the_first_target_the_stop_takes_the_rest_and_no_more(profile: str, run: Run) -> None:
    report = clean(told(run, open_() + move("2.8%") + move("-7%", "3m"), profile))
    (position,) = report["positions"]
    assert position["close_reason"].startswith("stop")
    assert sum(size for size, _ in sold(report)) == D(position["size"])
    assert report["expectations"] == []


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
@pytest.mark.parametrize("seed", range(3))
def test_parts_hold_under_faults(profile: str, seed: int, run: Run) -> None:
    faults = (
        "[faults]\nlose_reply = 0.1\nlose_request = 0.1\nduplicate_report = 0.2\nreorder_reports ="
        " 0.2\nreject_stop = 0.2"
    )
    three = 'target = "4%", targets = [{ at = "1%", part = "30%" }, { at = "2.5%", part = "30%" }]'
    steps = (
        open_(three)
        + move("1.8%")
        + '[[do]]\nat = "2m"\ncrash = true\n'
        + move("1.5%", "3m")
        + move("2%", "5m")
    )
    clean(told(run, steps, profile, faults=faults, seed=seed))


def test_a_part_of_hand_shortens_what_is_left_for_the_targets(run: Run) -> None:
    steps = open_() + '[[do]]\nat = "30s"\nposition = "a"\nclose = { part = "75%" }\n'
    report = clean(told(run, steps, "kraken-futures"))
    (position,) = report["positions"]
    resting = [
        order
        for order in report["orders"]
        if order["role"] == "target" and order["status"] == "open"
    ]
    assert (
        sum(D(order["size"]) - D(order["filled"]) for order in resting)
        == D(position["held"])
        == D("0.05")
    )


def test_parts_that_make_no_sense_are_refused(run: Run) -> None:
    for terms, code in {
        'target = "1%", targets = [{ at = "2%", part = "50%" }]': "TARGETS_OUT_OF_ORDER",
        'targets = [{ at = "2%", part = "50%" }, { at = "1%", part = "20%" }]': (
            "TARGETS_OUT_OF_ORDER"
        ),
        'targets = [{ at = "1", part = "50%" }]': "TARGETS_OUT_OF_ORDER",
        'targets = [{ at = "2%", part = "60%" }, { at = "3%", part = "60%" }]': "NOT_A_NUMBER",
        'targets = [{ at = "2%", part = "100%" }]': "NOT_A_NUMBER",
        'targets = [{ at = "2%", part = "0.0001%" }]': "PART_TOO_SMALL",
        'targets = [{ at = "2%", part = "99.9999%" }]': "PART_TOO_SMALL",
    }.items():
        report = told(run, open_(terms))
        assert code in [one["code"] for one in report["refusals"]], terms
        assert not report["positions"]
    with pytest.raises(ScenarioError, match=r"open\.targets\[1\] is .*; expected at .* and part"):
        told(run, open_('targets = [{ at = "2%" }]'))
