"""How many small faults the tests notice: `python -m tests.bench.mutation [--rooms engine/model] [--sample 150] [--seed 1] [--jobs 2] [--list]`.

Every place where an operator can change a module of the room is enumerated in order, and a sample is drawn with the seed: the same tree
and seed give the same mutants. Each is written into a private copy of the working tree, and the room's tests run there until the first one
fails: the module's own test file first, then the one that caught the module's last mutant. A mutant whose tests hang is caught,
too. `--list` shows the sample and runs nothing.

The operators are cosmic-ray's, less those that no test can miss (`<` to `is`) and with five of our own. Left out by construction are
annotations, unions of types, the texts of errors, `__slots__`, `__all__`, protocols and what only the collector sees. What survives for a
reason stands in `survivors.toml` beside this file: file, operator, line, what it becomes (where that matters) and why.
"""

import argparse
import ast
import difflib
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import parso
from cosmic_ray.ast import ast_nodes  # type: ignore[import-not-found, import-untyped, unused-ignore]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-not-found, import-untyped, unused-ignore]
from cosmic_ray.operators.operator import Operator  # type: ignore[import-not-found, import-untyped, unused-ignore]
from cosmic_ray.plugins import get_operator  # type: ignore[import-not-found, import-untyped, unused-ignore]
from parso.python.tree import Keyword, Name
from parso.python.tree import Operator as Sign
from parso.tree import NodeOrLeaf

ROOT = Path(__file__).parents[2]
KNOWN = Path(__file__).with_name("survivors.toml")
TESTS = {
    "engine/model": ("tests/model", "tests/desk"),
    "engine/gateway": ("tests/gateway", "tests/runtime"),
    "engine/desk": ("tests/desk", "tests/hazards", "tests/runtime"),
}
NOT_COPIED = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "*.egg-info")
NO_SHRINKING = """
from hypothesis import Phase
settings.register_profile("mutation", settings.get_profile("shared machine"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("mutation")
"""
"""Appended to the copy's conftest: a mutant's counterexample need not be small."""

MEMORY = 4_000_000
"""Kilobytes that one run of the tests may take: some mutants never stop asking for more."""

Point = tuple[int, int]


# Operators


class Swap(Operator):  # type: ignore[misc, unused-ignore]
    """Replaces one leaf by another."""

    words: dict[str, str]

    def admits(self, node: NodeOrLeaf) -> bool:
        raise NotImplementedError

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[tuple[Point, Point]]:
        if getattr(node, "value", None) in self.words and self.admits(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.value = self.words[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class SwapAugmented(Swap):
    """Adds where it subtracted."""

    words = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="}  # noqa: RUF012 - an operator is a constant

    def admits(self, node: NodeOrLeaf) -> bool:
        return isinstance(node, Sign)


class SwapMinMax(Swap):
    """The least for the most."""

    words = {"min": "max", "max": "min"}  # noqa: RUF012

    def admits(self, node: NodeOrLeaf) -> bool:
        follows = node.get_next_leaf()  # type: ignore[no-untyped-call, unused-ignore]
        return isinstance(node, Name) and follows is not None and getattr(follows, "value", "") == "("


class SwapAnyAll(SwapMinMax):
    """One for each."""

    words = {"any": "all", "all": "any"}  # noqa: RUF012


class InNotIn(Swap):
    """Outside for inside."""

    words = {"in": "not in"}  # noqa: RUF012

    def admits(self, node: NodeOrLeaf) -> bool:
        return isinstance(node, Keyword) and node.parent is not None and node.parent.type == "comparison"


class DropStatement(Operator):  # type: ignore[misc, unused-ignore]
    """A call for its effect, or an assignment to an attribute or an item, does not happen."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Point, Point]]:
        if node.parent is None or node.parent.type != "simple_stmt":
            return
        called = node.type in ("atom_expr", "power") and node.children[-1].get_code().startswith("(")
        awaited = node.type in ("atom_expr", "power") and node.get_code().lstrip().startswith("await")
        target = node.children[0] if node.type == "expr_stmt" else None
        put = target is not None and (target.type in ("atom_expr", "power") or getattr(node.children[1], "value", "") in SwapAugmented.words)
        if called or awaited or put:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return Keyword("pass", node.start_pos, node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


OURS = {kind.__name__: kind for kind in (SwapAugmented, SwapMinMax, SwapAnyAll, InNotIn, DropStatement)}
PAIRS = {
    "ReplaceBinaryOperator": "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitOr_BitAnd BitAnd_BitOr",
    "ReplaceComparisonOperator": "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Lt_GtE LtE_Gt Gt_LtE GtE_Lt Is_IsNot IsNot_Is",
    "ReplaceUnaryOperator": "Delete_USub Delete_Not",
}
SINGLE = (
    "AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd ReplaceBreakWithContinue ReplaceContinueWithBreak "
    "ExceptionReplacer NumberReplacer RemoveDecorator ZeroIterationForLoop"
)
OPERATORS = tuple(sorted([*OURS, *SINGLE.split(), *(f"{kind}_{pair}" for kind, pairs in PAIRS.items() for pair in pairs.split())]))


def operator(name: str) -> Any:
    return OURS[name]() if name in OURS else get_operator(f"core/{name}")()


# Mutations


class Mutation(NamedTuple):
    """One change of one place."""

    file: str
    line: int
    operator: str
    occurrence: int


class Mutant(NamedTuple):
    """A mutation carried out."""

    mutation: Mutation
    source: str
    mutated: str
    before: str
    """The line that changes, without its indentation."""
    after: str


class Known(NamedTuple):
    """A survivor with its reason."""

    file: str
    operator: str
    line: str
    becomes: str
    why: str

    def is_of(self, mutant: Mutant) -> bool:
        told = (mutant.mutation.file, mutant.mutation.operator, mutant.before)
        return told == (self.file, self.operator, self.line) and self.becomes in ("", mutant.after)


def known_survivors() -> list[Known]:
    if not KNOWN.exists():
        return []
    rows = tomllib.loads(KNOWN.read_text(encoding="utf-8")).get("survivor", [])
    return [Known(row["file"], row["operator"], row["line"], row.get("becomes", ""), row["why"]) for row in rows]


def _is_union(node: ast.AST | None) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _is_union(node.left) and _is_union(node.right)
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name[:1].isupper() or name in ("int", "str", "float", "bool", "bytes", "list", "dict", "tuple", "set")
    return isinstance(node, ast.Subscript) or (isinstance(node, ast.Constant) and node.value is None)


def _out_of_reach(node: ast.AST) -> Iterator[ast.AST | None]:
    """The parts of a node in which a change changes nothing that a test should notice."""
    match node:
        case ast.arg() | ast.AnnAssign():
            yield node.annotation
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.returns
            told = ("overload", "override", "final", "abstractmethod", "runtime_checkable")
            yield from (one for one in node.decorator_list if ast.unparse(one) in told)
        case ast.Raise(exc=ast.Call() as call):
            yield from call.args
        case ast.Assert():
            yield node.msg
        case ast.Assign(targets=[ast.Name(id=name)]) if name in ("__slots__", "__all__"):
            yield node
        case ast.BinOp() if _is_union(node):
            yield node
        case ast.MatchOr():
            yield node
        case ast.ClassDef():
            yield from (keyword for keyword in node.keywords if keyword.arg == "gc")
            if any(ast.unparse(base).startswith("Protocol") for base in node.bases):
                yield node
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node


def spans_out_of_reach(source: str) -> list[tuple[Point, Point]]:
    lines = source.splitlines()

    def place(line: int, column: int) -> Point:
        return line, len(lines[line - 1].encode()[:column].decode())

    found = [part for node in ast.walk(ast.parse(source)) for part in _out_of_reach(node) if part is not None]
    ends: list[Any] = [part for part in found if hasattr(part, "end_lineno")]
    return [(place(part.lineno, part.col_offset), place(part.end_lineno, part.end_col_offset)) for part in ends]


def mutations(file: str, source: str) -> tuple[list[Mutation], int]:
    """All mutations of a module, in order, and how many were left out by construction."""
    nodes = list(ast_nodes(parso.parse(source)))  # type: ignore[no-untyped-call, unused-ignore]
    skipped_spans = spans_out_of_reach(source)
    found, skipped = [], 0
    for name in OPERATORS:
        works = operator(name)
        places = [place for node in nodes for place in works.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(places):
            # a decorator begins at its @, one column before the expression
            point = (start[0], start[1] + 1) if name == "RemoveDecorator" else start
            if any(begin <= point < end for begin, end in skipped_spans):
                skipped += 1
            else:
                found.append(Mutation(file, start[0], name, occurrence))
    return sorted(found), skipped


def carried_out(mutation: Mutation, source: str) -> Mutant | None:
    """The module with the mutation in it; None where that is no Python, or the same program."""
    mutated = mutate_code(source, operator(mutation.operator), mutation.occurrence)
    try:
        if mutated is None or ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    changed = [line for line in difflib.ndiff(source.splitlines(), mutated.splitlines()) if line[:1] in "-+" and line[2:].strip()]
    before = next((line[2:].strip() for line in changed if line.startswith("-")), "(nothing)")
    after = next((line[2:].strip() for line in changed if line.startswith("+")), "(nothing)")
    return Mutant(mutation, source, mutated, before, after)


# Running


class Outcome(NamedTuple):
    """What became of a mutant: caught, late or survived."""

    mutant: Mutant
    how: str


class Copy:
    """A private copy of the working tree, in which tests can be run."""

    def __init__(self, tree: Path, home: Path) -> None:
        self.home = home
        shutil.copytree(tree, home, ignore=shutil.ignore_patterns(*NOT_COPIED))
        if tree == ROOT:
            with (home / "tests/conftest.py").open("a", encoding="utf-8") as file:
                file.write(NO_SHRINKING)
        self.environment = {**os.environ, "PYTHONPATH": str(self.home)}
        self.process: subprocess.Popen[str] | None = None
        said = self.run(["-c", "import engine; print(engine.__file__)"], 60)[1].strip()
        assert Path(said).is_relative_to(self.home), f"the engine that is tested would be {said}"

    def run(self, arguments: Sequence[str], timeout: float) -> tuple[int | None, str]:
        """Exit code (None when it took too long) and output of one Python."""
        command = ["sh", "-c", f'ulimit -v {MEMORY}; exec "$@"', "sh", sys.executable, *arguments]
        with subprocess.Popen(
            command,
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            self.process = process
            try:
                said, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                self.stop()
                process.communicate()
                return None, ""
            return process.returncode, said

    def stop(self) -> None:
        """End the tests that run, and all that they started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def test(self, files: Sequence[str], more: Sequence[str], timeout: float) -> tuple[int | None, str]:
        return self.run(["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow", *more, *files], timeout)

    def write(self, file: str, source: str) -> None:
        """Put a module's text in place; a compiled one of the same second and size must not be taken for it."""
        path = self.home / file
        path.write_text(source, encoding="utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


class Room:
    """The modules of one folder, a sample of their mutants, and the tests that should notice."""

    def __init__(self, tree: Path, name: str, known: list[Known], sample: int, seed: int) -> None:
        self.tree = tree
        self.name = name
        self.all: list[Mutation] = []
        self.skipped = 0
        sources = {str(path.relative_to(tree)): path.read_text(encoding="utf-8") for path in sorted((tree / name).rglob("*.py"))}
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
        lines = {file: {line.strip() for line in source.splitlines()} for file, source in sources.items()}
        self.stale = [one for one in known if one.file.startswith(f"{name}/") and one.line not in lines.get(one.file, set())]

    def files(self, mutation: Mutation, killers: dict[str, str]) -> list[str]:
        """The room's test files: the module's own first, then the one that caught its last mutant."""
        folders = TESTS[self.name]
        every = [str(path.relative_to(self.tree)) for folder in folders for path in sorted((self.tree / folder).glob("test_*.py"))]
        own = f"{folders[0]}/test_{Path(mutation.file).stem}.py"
        return sorted(every, key=lambda file: (file != own, file != killers.get(mutation.file)))

    def run(self, copies: Sequence[Copy]) -> list[Outcome]:
        began = time.monotonic()
        every = self.files(Mutation("", 0, "", 0), {})
        _, said = copies[0].test(every, ["--durations=1", "--durations-min=0"], 1200)
        took = time.monotonic() - began
        longest = re.search(r"^([\d.]+)s (?:call|setup)", said, re.MULTILINE)
        patience = max(8.0, 3 * float(longest[1])) if longest else 60.0
        failing = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        for name in failing:
            print(f"  fails without a mutation and is left out: {name}")
        print(
            f"  {self.name}: {len(self.mutants)} mutants against {len(every)} test files that take {took:.0f} s; one test may take {patience:.0f} s",
            flush=True,
        )
        more = ["-x", f"-ofaulthandler_timeout={patience:.0f}", "-ofaulthandler_exit_on_timeout=true", *(f"--deselect={name}" for name in failing)]
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
                    print(f"  {len(outcomes)} of {len(self.mutants)} after {time.monotonic() - began:.0f} s", flush=True)

        workers = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in copies]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return sorted(outcomes, key=lambda outcome: outcome.mutant.mutation)

    def _try(self, copy: Copy, mutant: Mutant, more: Sequence[str], killers: dict[str, str], timeout: float) -> Outcome:
        file = mutant.mutation.file
        copy.write(file, mutant.mutated)
        code, said = copy.test(self.files(mutant.mutation, killers), more, timeout)
        copy.write(file, mutant.source)
        killer = re.search(r"^(?:FAILED|ERROR) ([^\s:]+)", said, re.MULTILINE)
        if killer is not None:
            killers[file] = killer[1]
        late = code is None or re.search(r"^Timeout \(\d", said, re.MULTILINE)
        return Outcome(mutant, "late" if late else "survived" if code == 0 else "caught")


# The table


def shown(mutant: Mutant) -> str:
    mutation = mutant.mutation
    return f"  {mutation.file}:{mutation.line}  {mutation.operator}\n    - {mutant.before}\n    + {mutant.after}"


def report(room: Room, outcomes: Iterable[Outcome]) -> None:
    kept = list(outcomes)
    how = Counter(outcome.how for outcome in kept)
    caught = how["caught"] + how["late"]
    share = f"{caught / len(kept):.1%}" if kept else "-"
    print(
        f"\n{'room':<16} {'places':>7} {'left out':>9} {'mutants':>8} {'killed':>7} {'of them late':>13} {'survived':>9} {'known':>6} {'percent':>8}"
    )
    figures = (
        f"{len(room.all):>7} {room.skipped:>9} {len(kept):>8} {caught:>7} {how['late']:>13} {how['survived']:>9} {len(room.known):>6} {share:>8}"
    )
    print(f"{room.name:<16} {figures}")
    survivors = [outcome.mutant for outcome in kept if outcome.how == "survived"]
    if survivors:
        print("survivors:", *(shown(mutant) for mutant in survivors), sep="\n")
    if room.known:
        print("known survivors:", *(f"{shown(mutant)}\n    why: {reason.why}" for mutant, reason in room.known), sep="\n")
    for one in room.stale:
        print(f"survivors.toml speaks of a line that is no longer in {one.file}: {one.line}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--sample", type=int, default=100, help="mutants per room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="show the sample, run nothing")
    options = parser.parse_args()
    known = known_survivors()
    if options.list:
        for name in options.rooms:
            room = Room(ROOT, name, known, options.sample, options.seed)
            print(f"{name}: {len(room.all)} places, {room.skipped} left out, {len(room.known)} known")
            print(*(shown(mutant) for mutant in sorted(room.mutants)), sep="\n")
        return
    with tempfile.TemporaryDirectory(prefix="flatout-mutation-") as folder:
        homes = [Path(folder) / f"copy{number}" for number in range(options.jobs)]
        copies = [Copy(ROOT, homes[0])]  # the tree may change meanwhile: the others are copies of the first
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
