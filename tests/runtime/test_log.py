"""The log: one structured line per state change, levels that mean something, and never a secret."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.desk import Decision
from engine.model import intent as i
from engine.model.secrets import MASK
from engine.runtime.log import QUIET, Log
from tests.support.world import D, Story


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.hazard("H72")
def test_each_change_is_one_line_with_the_ids_that_lead_on(tmp_path: Path) -> None:
    story = Story()
    log = Log(tmp_path / "flatout.log", ())
    position = story.opened()
    (
        story.rejected(story.order("stop"))
        if story.order("stop").venue_order_id is None
        else story.cancelled(story.order("stop"), "by the venue")
    )
    log.decided(Decision(tuple(story.events), ()), story.state)
    log.close()
    told = lines(tmp_path / "flatout.log")
    assert len(told) == len([event for event in story.events if not isinstance(event, QUIET)])
    filled = next(line for line in told if line["what"]["type"] == "order-filled")  # type: ignore[index]
    order = next(order for order in story.state.ended.values() if order.role.value == "entry")
    assert (filled["order"], filled["venue_order"], filled["position"]) == (
        order.client_order_id,
        order.venue_order_id,
        position.id,
    )
    assert {line["level"] for line in told} >= {
        "INFO",
        "ERROR",
    }, "a refused stop is an ERROR: act now"
    assert (tmp_path / "flatout.log").stat().st_mode & 0o077 == 0


@pytest.mark.hazard("H72")
def test_refusals_and_doubts_are_warnings(tmp_path: Path) -> None:
    story = Story()
    log = Log(tmp_path / "flatout.log", ())
    story.ask(i.ClosePosition(id="x", position="none"))
    log.decided(Decision(tuple(story.events[-1:]), (), failure="KeyError: x"), story.state)
    log.close()
    refused, failed = lines(tmp_path / "flatout.log")
    assert refused["level"] == "WARNING"
    assert failed == {"event": "rule-failed", "text": "KeyError: x"}


@pytest.mark.hazard("H68")
def test_no_secret_is_written_whatever_carries_it(tmp_path: Path) -> None:
    secret = "hunter2-and-more"
    story = Story()
    story.buy(note=f"my key is {secret}", label=secret)
    entry = story.order("entry")
    story.rejected(entry, f"bad signature for {secret}")
    log = Log(tmp_path / "flatout.log", (secret, ""))
    log.decided(Decision(tuple(story.events), (), failure=f"died of {secret}"), story.state)
    log.close()
    text = (tmp_path / "flatout.log").read_text()
    assert secret not in text
    assert text.count(MASK) >= 4


def test_the_log_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.log.SIZE", 2_000)
    log = Log(tmp_path / "flatout.log", ())
    story = Story()
    event = e.EntriesBlocked(1, "PAUSED", "x" * 100, None)
    for at in range(200):
        log.decided(Decision((replace(event, at=at),), ()), story.state)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 5 * 2_200
    assert D(1) == 1
