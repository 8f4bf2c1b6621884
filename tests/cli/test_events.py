"""`flatout events` beside real engines: it follows one past its death into the next, and tells in
the end what the journal tells.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminal import environment
from tests.terminal.test_attached import FLATOUT, serving

pytestmark = pytest.mark.slow


class Following:
    """`flatout events --follow --json`, read line by line."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [*FLATOUT, "events", "--follow", "--json", *words],
            env=environment(folder),
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            # a shell's background jobs ignore ctrl-c, and so does all that they start
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def until(self, kind: str, after: int = 0) -> dict[str, Any]:
        """The first event of a kind after a number, once it is told."""

        def found() -> dict[str, Any] | None:
            return next(
                (one for one in self.events if one["kind"] == kind and one["seq"] > after), None
            )

        return in_time(found)

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)


def in_time(look: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    until = time.monotonic() + 60
    while (found := look()) is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def told(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLATOUT, "events", *words],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_a_follower_outlives_engines_and_misses_nothing(tmp_path: Path) -> None:
    nothing = told(tmp_path)
    assert nothing.returncode == 2
    assert sys.executable not in nothing.stderr
    with serving(tmp_path) as engine:
        follower = Following(tmp_path, "--from", "1")
        done = engine.run("do", "--yes", "buy btc 0.05 stop -3%; wait filled within 20s")
        assert done.returncode == 0, done.stdout + done.stderr
        filled = follower.until("order-filled")
        assert filled["topic"] == "order"
        assert filled["symbol"] == "BTC/USD"
        assert filled["text"].startswith("filled buy 0.05 BTC/USD at ")
        assert filled["event"]["fill"]["execution_id"]
        engine.signal(signal.SIGKILL)
        engine.process.wait()
    with serving(tmp_path) as engine:
        closed = engine.run("do", "--yes", "close btc; wait flat within 20s")
        assert closed.returncode == 0, closed.stdout + closed.stderr
        end = follower.until("position-closed", filled["seq"])
        assert end["position"] == filled["position"]
        newest = engine.run("events")
        assert newest.returncode == 0
        assert "closed by" in newest.stdout
        engine.signal(signal.SIGTERM)
        engine.process.wait(30)
    lines = [
        json.loads(line)
        for line in told(tmp_path, "--json", "--from", "1").stdout.split("\n")
        if line
    ]
    in_time(lambda: lines[-1] if follower.events[-1]["seq"] == lines[-1]["seq"] else None)
    assert follower.end() == 0
    assert follower.events == lines
    later = told(tmp_path, "--json", "--from", str(end["seq"])).stdout.split("\n")
    assert json.loads(later[0]) == end
