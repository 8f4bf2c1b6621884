"""Two versions of the program measured in turns: `alternated(COMMIT, script, ...)`.

The machine is never quiet, so what is compared is CPU time, in turns, and told as medians and a
ratio. The old version is an archive of its commit in a folder of its own; each run is a process
that imports nothing but that version's code.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
BEFORE = "2b9a7dc"
"""The commit that the sums were measured against when they came."""


@contextmanager
def version(commit: str) -> Iterator[Path]:
    """The program as it was at a commit, in a folder that goes."""
    packed = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tempfile.TemporaryDirectory(prefix="flatout-old-") as folder:
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def run(tree: Path, script: Path, words: Sequence[str]) -> dict[str, float]:
    """What a script says, run with one version's code: names and numbers, as JSON on its
    last line.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "",
        "FLATOUT_BENCH": str(tree),
    }
    done = subprocess.run(
        [sys.executable, str(script), *words],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def alternated(
    commit: str, script: Path, words: Sequence[str], runs: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of the old and of this version, run in turns."""
    with version(commit) as old:
        told: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
        for turn in range(runs):
            for which in ((0, 1), (1, 0))[turn % 2]:
                told[which].append(run((old, ROOT)[which], script, words))
    before, now = ({name: median(one[name] for one in each) for name in each[0]} for each in told)
    return before, now
