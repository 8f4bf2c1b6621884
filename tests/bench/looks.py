"""CPU time of the commands that only look, beside an account that was traded and is closed:

    python -m tests.bench.looks [--against COMMIT] [--runs 7]

Each is a process of its own. Against a commit both versions run in turns: medians and their ratio.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from engine.desk.codec import encode
from engine.desk.events import Sampled
from engine.exchange.store import Store
from engine.journal import Batch, Journal, Record
from engine.model.money import ZERO
from tests.bench.alternated import BEFORE, ROOT, version
from tests.bench.world import temporary

LOOKS = (("status",), ("accounts",), ("journal", "tail"), ("export", "fills"))


def account(home: Path) -> None:
    """A paper account that is flat."""
    journal = Journal.open(home / "paper/journal.sqlite", "paper", "bench", now=5, inline=True)
    journal.start(lambda _: None, print)
    journal.append(Batch((Record(5, "sampled", encode(Sampled(5, ZERO, ZERO, {}))),)))
    journal.close()
    Store(home / "paper/paper.sqlite").close()


def cpu(tree: Path, home: Path, words: Sequence[str]) -> float:
    """Milliseconds of CPU that a command takes with one version's code."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "",
        "FLATOUT_HOME": str(home),
        "FLATOUT_SETTINGS": str(home / "none.toml"),
    }
    command = [sys.executable, "-m", "tui.cli", "--set", "account.venue=paper", *words]
    process = subprocess.Popen(
        command, cwd=tree, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    told = process.stderr.read()
    process.stderr.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told.decode()
    return 1_000 * (used.ru_utime + used.ru_stime)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", metavar="COMMIT", default=BEFORE)
    parser.add_argument("--runs", type=int, default=7)
    words = parser.parse_args()
    with temporary() as folder, ExitStack() as stack:
        account(Path(folder))
        trees = (stack.enter_context(version(words.against)), ROOT)
        print(f"ms of CPU, medians of {words.runs} in turns")
        print(f"{'command':<14} {words.against:>8} {'now':>6} {'ratio':>6}")
        for look in LOOKS:
            for tree in trees:
                cpu(tree, Path(folder), look)  # compiles what is new
            told: tuple[list[float], list[float]] = ([], [])
            for turn in range(words.runs):
                for which in ((0, 1), (1, 0))[turn % 2]:
                    told[which].append(cpu(trees[which], Path(folder), look))
            before, now = map(median, told)
            print(f"{' '.join(look):<14} {before:>8.0f} {now:>6.0f} {now / before:>6.2f}")


if __name__ == "__main__":
    main()
