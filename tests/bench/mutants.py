"""Small faults: the operators, the places of a module where one can change it, and what is known to
survive for a reason.
"""

import ast
import difflib
import tomllib
from collections.abc import Iterator
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

KNOWN = Path(__file__).with_name("survivors.toml")

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

    words = {  # noqa: RUF012 - an operator is a constant
        "+=": "-=",
        "-=": "+=",
        "*=": "/=",
        "/=": "*=",
        "|=": "&=",
        "&=": "|=",
    }

    def admits(self, node: NodeOrLeaf) -> bool:
        return isinstance(node, Sign)


class SwapMinMax(Swap):
    """The least for the most."""

    words = {"min": "max", "max": "min"}  # noqa: RUF012

    def admits(self, node: NodeOrLeaf) -> bool:
        follows = node.get_next_leaf()  # type: ignore[no-untyped-call, unused-ignore]
        return (
            isinstance(node, Name) and follows is not None and getattr(follows, "value", "") == "("
        )


class SwapAnyAll(SwapMinMax):
    """One for each."""

    words = {"any": "all", "all": "any"}  # noqa: RUF012


class InNotIn(Swap):
    """Outside for inside."""

    words = {"in": "not in"}  # noqa: RUF012

    def admits(self, node: NodeOrLeaf) -> bool:
        return (
            isinstance(node, Keyword)
            and node.parent is not None
            and node.parent.type == "comparison"
        )


class DropStatement(Operator):  # type: ignore[misc, unused-ignore]
    """A call for its effect, or an assignment to an attribute or an item, does not happen."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Point, Point]]:
        if node.parent is None or node.parent.type != "simple_stmt":
            return
        called = node.type in ("atom_expr", "power") and node.children[-1].get_code().startswith(
            "("
        )
        awaited = node.type in ("atom_expr", "power") and node.get_code().lstrip().startswith(
            "await"
        )
        target = node.children[0] if node.type == "expr_stmt" else None
        put = target is not None and (
            target.type in ("atom_expr", "power")
            or getattr(node.children[1], "value", "") in SwapAugmented.words
        )
        if called or awaited or put:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return Keyword("pass", node.start_pos, node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


OURS = {
    kind.__name__: kind for kind in (SwapAugmented, SwapMinMax, SwapAnyAll, InNotIn, DropStatement)
}
PAIRS = {
    "ReplaceBinaryOperator": (
        "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitOr_BitAnd BitAnd_BitOr"
    ),
    "ReplaceComparisonOperator": (
        "Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Lt_GtE LtE_Gt Gt_LtE GtE_Lt Is_IsNot"
        " IsNot_Is"
    ),
    "ReplaceUnaryOperator": "Delete_USub Delete_Not",
}
SINGLE = (
    "AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd"
    " ReplaceBreakWithContinue ReplaceContinueWithBreak ExceptionReplacer NumberReplacer"
    " RemoveDecorator ZeroIterationForLoop"
)
OPERATORS = tuple(
    sorted(
        [
            *OURS,
            *SINGLE.split(),
            *(f"{kind}_{pair}" for kind, pairs in PAIRS.items() for pair in pairs.split()),
        ]
    )
)


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
    return [
        Known(row["file"], row["operator"], row["line"], row.get("becomes", ""), row["why"])
        for row in rows
    ]


def _is_union(node: ast.AST | None) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _is_union(node.left) and _is_union(node.right)
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return name[:1].isupper() or name in (
            "int",
            "str",
            "float",
            "bool",
            "bytes",
            "list",
            "dict",
            "tuple",
            "set",
        )
    return isinstance(node, ast.Subscript) or (
        isinstance(node, ast.Constant) and node.value is None
    )


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

    found = [
        part
        for node in ast.walk(ast.parse(source))
        for part in _out_of_reach(node)
        if part is not None
    ]
    ends: list[Any] = [part for part in found if hasattr(part, "end_lineno")]
    return [
        (place(part.lineno, part.col_offset), place(part.end_lineno, part.end_col_offset))
        for part in ends
    ]


def _is_mark(node: NodeOrLeaf) -> bool:
    """Whether it is the star before arguments that are given by name: no arithmetic, and a call by
    place was never promised to fail.
    """
    return (
        getattr(node, "value", "") == "*"
        and node.parent is not None
        and node.parent.type in ("parameters", "param", "typedargslist")
    )


def mutations(file: str, source: str) -> tuple[list[Mutation], int]:
    """All mutations of a module, in order, and how many were left out by construction."""
    nodes = list(ast_nodes(parso.parse(source)))  # type: ignore[no-untyped-call, unused-ignore]
    skipped_spans = spans_out_of_reach(source)
    found, skipped = [], 0
    for name in OPERATORS:
        works = operator(name)
        places = [
            (place, _is_mark(node)) for node in nodes for place in works.mutation_positions(node)
        ]
        for occurrence, ((start, _), mark) in enumerate(places):
            # a decorator begins at its @, one column before the expression
            point = (start[0], start[1] + 1) if name == "RemoveDecorator" else start
            if mark or any(begin <= point < end for begin, end in skipped_spans):
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
    changed = [
        line
        for line in difflib.ndiff(source.splitlines(), mutated.splitlines())
        if line[:1] in "-+" and line[2:].strip()
    ]
    before = next((line[2:].strip() for line in changed if line.startswith("-")), "(nothing)")
    after = next((line[2:].strip() for line in changed if line.startswith("+")), "(nothing)")
    return Mutant(mutation, source, mutated, before, after)
