"""How many small faults the tests notice: `python -m tests.bench.mutation [--rooms engine/model]
[--sample 150] [--seed 1] [--jobs 2] [--list]`.

A room is a folder or one module. Every place where an operator can change a module of the room is
enumerated in order, and a sample is drawn with the seed: the same tree and seed give the same
mutants, and a sample larger than the room is the whole room. Each is written into a private copy of
the working tree, and the room's tests run there until the first one fails: the module's own test
file and the one that caught the module's last mutant, then the others. A mutant whose tests hang is
caught, too. `--list` shows the sample and runs nothing.

`--rooms custody` stands for the rooms that decide what leaves, what is called flat and what is
called protected: the gate and what it knows, the last exit, the auditor, and of the desk what
compares, lists, books a last exit and locks entries out.

The operators are cosmic-ray's, less those that no test can miss (`<` to `is`) and with five of our
own. Left out by construction are annotations, unions of types, the texts of errors, `__slots__`,
`__all__`, protocols, the star before named arguments and what only the collector sees. What
survives for a reason stands in `survivors.toml` beside this file: file, operator, line, what it
becomes (where that matters) and why.
"""

import argparse
import queue
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.copies import ROOT, Copy
from tests.bench.mutants import Known, Mutant, Mutation, carried_out, known_survivors, mutations


def named(names: str) -> tuple[str, ...]:
    """Test files of the desk."""
    return tuple(f"tests/desk/test_{name}.py" for name in names.split())


PICTURES = named(
    "settling settling_corners truth found recovery_corners doubts financing wakes views_told"
)
"""What a picture of the account sets going."""
TESTS = {
    "engine/model": ("tests/model", "tests/desk"),
    "engine/gateway": ("tests/gateway", "tests/runtime"),
    "engine/desk": ("tests/desk", "tests/hazards", "tests/runtime"),
    "engine/gate": ("tests/gate",),
    "engine/desk/books.py": ("tests/gate",),
    "engine/desk/reconcile.py": (
        *named(
            "reconcile reconcile_corners pictures reports_corners unexplained unexplained_corners"
            " marked"
        ),
        *PICTURES,
    ),
    "engine/desk/unexplained.py": named(
        "unexplained unexplained_corners reconcile pictures settling settling_corners evolving"
    ),
    "engine/desk/marked.py": named("marked marked_corners unexplained reconcile pictures"),
    "engine/desk/lockouts.py": named("lockouts samples values bounds alerts margin"),
    "engine/emergency": ("tests/emergency/test_closing.py", "tests/emergency"),
    "engine/rehearsal/auditor": (
        "tests/rehearsal/test_parts.py",
        "tests/rehearsal/test_steps.py",
        "tests/rehearsal/test_auditor.py",
        "tests/rehearsal/test_honest_desk.py",
        "tests/rehearsal/test_records.py",
    ),
}
"""The tests that concern a room, the quickest to notice first: folders, or files."""
CUSTODY = tuple(
    name for name in TESTS if name not in ("engine/model", "engine/gateway", "engine/desk")
)
FIRST = 2
"""Test files that are tried alone before the others: most mutants need no more, and others take
longer to load than to run.
"""


class Outcome(NamedTuple):
    """What became of a mutant: caught, late or survived."""

    mutant: Mutant
    how: str


def modules(tree: Path, name: str) -> list[Path]:
    """The modules of a room: of a folder, or the one that it is."""
    return [tree / name] if name.endswith(".py") else sorted((tree / name).rglob("*.py"))


def test_files(tree: Path, name: str) -> list[str]:
    """The test files of a room, in the order of its table."""
    places = [tree / place for place in TESTS[name]]
    found = [
        path
        for place in places
        for path in ([place] if place.suffix else sorted(place.glob("test_*.py")))
    ]
    return list(dict.fromkeys(str(path.relative_to(tree)) for path in found))


class Room:
    """The modules of one folder, or one module, a sample of their mutants, and the tests that
    should notice.
    """

    def __init__(self, tree: Path, name: str, known: list[Known], sample: int, seed: int) -> None:
        self.tree = tree
        self.name = name
        self.all: list[Mutation] = []
        self.skipped = 0
        sources = {
            str(path.relative_to(tree)): path.read_text(encoding="utf-8")
            for path in modules(tree, name)
        }
        for file, source in sources.items():
            found, skipped = mutations(file, source)
            self.all.extend(found)
            self.skipped += skipped
        self.mutants: list[Mutant] = []
        self.known: list[tuple[Mutant, Known]] = []
        for mutation in random.Random(seed).sample(self.all, len(self.all)):
            if len(self.mutants) + len(self.known) == sample:
                break
            mutant = carried_out(mutation, sources[mutation.file])
            if mutant is None:
                self.skipped += 1
                continue
            reason = next((one for one in known if one.is_of(mutant)), None)
            if reason is None:
                self.mutants.append(mutant)
            else:
                self.known.append((mutant, reason))
        lines = {
            file: {line.strip() for line in source.splitlines()} for file, source in sources.items()
        }
        self.stale = [
            one
            for one in known
            if one.file in sources and one.line not in lines.get(one.file, set())
        ]

    def files(self, mutation: Mutation, killers: dict[str, str]) -> list[str]:
        """The room's test files: the module's own first, then the one that caught its last
        mutant.
        """
        own = f"test_{Path(mutation.file).stem}.py"
        every = test_files(self.tree, self.name)
        return sorted(
            every, key=lambda file: (Path(file).name != own, file != killers.get(mutation.file))
        )

    def run(self, copies: Sequence[Copy]) -> list[Outcome]:
        began = time.monotonic()
        every = self.files(Mutation("", 0, "", 0), {})
        for copy in copies:
            copy.warm(every)
        _, said = copies[0].test(every, ["--durations=1", "--durations-min=0"], 1200)
        took = time.monotonic() - began
        longest = re.search(r"^([\d.]+)s (?:call|setup)", said, re.MULTILINE)
        patience = max(8.0, 3 * float(longest[1])) if longest else 60.0
        failing = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        for name in failing:
            print(f"  fails without a mutation and is left out: {name}")
        print(
            f"  {self.name}: {len(self.mutants)} mutants against {len(every)} test files that take"
            f" {took:.0f} s; one test may take {patience:.0f} s",
            flush=True,
        )
        more = [
            "-x",
            f"-ofaulthandler_timeout={patience:.0f}",
            "-ofaulthandler_exit_on_timeout=true",
            *(f"--deselect={name}" for name in failing),
        ]
        waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
        for mutant in self.mutants:
            waiting.put(mutant)
        outcomes: list[Outcome] = []
        killers: dict[str, str] = {}

        def work(copy: Copy) -> None:
            while True:
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return
                outcome = self._try(copy, mutant, more, killers, took * 2 + 30)
                outcomes.append(outcome)
                if outcome.how == "survived":
                    print(shown(mutant), flush=True)
                if len(outcomes) % 25 == 0:
                    print(
                        f"  {len(outcomes)} of {len(self.mutants)} after"
                        f" {time.monotonic() - began:.0f} s",
                        flush=True,
                    )

        workers = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in copies]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sorted(outcomes, key=lambda outcome: outcome.mutant.mutation)

    def _try(
        self,
        copy: Copy,
        mutant: Mutant,
        more: Sequence[str],
        killers: dict[str, str],
        timeout: float,
    ) -> Outcome:
        file = mutant.mutation.file
        copy.write(file, mutant.mutated)
        files = self.files(mutant.mutation, killers)
        code, said = copy.test(files[:FIRST], more, timeout)
        if code == 0 and files[FIRST:]:
            code, said = copy.test(files[FIRST:], more, timeout)
        copy.write(file, mutant.source)
        killer = re.search(r"^(?:FAILED|ERROR) ([^\s:]+)", said, re.MULTILINE)
        if killer is not None:
            killers[file] = killer[1]
        late = code is None or re.search(r"^Timeout \(\d", said, re.MULTILINE)
        return Outcome(mutant, "late" if late else "survived" if code == 0 else "caught")


# The table


def shown(mutant: Mutant) -> str:
    mutation = mutant.mutation
    return (
        f"  {mutation.file}:{mutation.line}  {mutation.operator}\n    - {mutant.before}\n    +"
        f" {mutant.after}"
    )


def report(room: Room, outcomes: Iterable[Outcome]) -> None:
    kept = list(outcomes)
    how = Counter(outcome.how for outcome in kept)
    caught = how["caught"] + how["late"]
    share = f"{caught / len(kept):.1%}" if kept else "-"
    print(
        f"\n{'room':<25} {'places':>7} {'left out':>9} {'mutants':>8} {'killed':>7}"
        f" {'of them late':>13} {'survived':>9} {'known':>6} {'percent':>8}"
    )
    figures = (
        f"{len(room.all):>7} {room.skipped:>9} {len(kept):>8} {caught:>7} {how['late']:>13}"
        f" {how['survived']:>9} {len(room.known):>6} {share:>8}"
    )
    print(f"{room.name:<25} {figures}")
    survivors = [outcome.mutant for outcome in kept if outcome.how == "survived"]
    if survivors:
        print("survivors:", *(shown(mutant) for mutant in survivors), sep="\n")
    if room.known:
        print(
            "known survivors:",
            *(f"{shown(mutant)}\n    why: {reason.why}" for mutant, reason in room.known),
            sep="\n",
        )
    for one in room.stale:
        print(f"survivors.toml speaks of a line that is no longer in {one.file}: {one.line}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rooms", nargs="+", choices=[*TESTS, "custody"], default=list(TESTS))
    parser.add_argument("--sample", type=int, default=100, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="show the sample, run nothing")
    options = parser.parse_args()
    options.rooms = [
        name for room in options.rooms for name in (CUSTODY if room == "custody" else (room,))
    ]
    known = known_survivors()
    if options.list:
        for name in options.rooms:
            room = Room(ROOT, name, known, options.sample, options.seed)
            print(
                f"{name}: {len(room.all)} places, {room.skipped} left out, {len(room.known)} known"
            )
            print(*(shown(mutant) for mutant in sorted(room.mutants)), sep="\n")
        return
    with tempfile.TemporaryDirectory(prefix="flatout-mutation-") as folder:
        homes = [Path(folder) / f"copy{number}" for number in range(options.jobs)]
        # the tree may change meanwhile: the others are copies of the first
        copies = [Copy(ROOT, homes[0])]
        copies += [Copy(homes[0], home) for home in homes[1:]]
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            for name in options.rooms:
                room = Room(homes[0], name, known, options.sample, options.seed)
                report(room, room.run(copies))
        finally:
            for copy in copies:
                copy.stop()


if __name__ == "__main__":
    main()
