"""Markdown as lines of the console: what the pages of docs/ use of it."""

import re
from collections.abc import Iterator

from tui.lines import Line, Part
from tui.plain import lines, plain

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_SPAN = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)")
_RULE = re.compile(r"^\|[\s:|-]+\|?$")
_ITEM = re.compile(r"^(\s*)([-*]|\d+\.) ")
_CELL = re.compile(r"(?<!\\)\|")


def render(text: str, room: int) -> list[Line]:
    """The page in lines of at most `room` cells."""
    found: list[Line] = []
    for kind, block in _blocks(text):
        if kind == "code":
            found.extend((("  " + plain(line), "key"),) for line in block.split("\n"))
        elif kind == "head":
            found.append(())
            found.extend(((line, "strong"),) for line in lines(block.lstrip("# "), room))
        elif kind == "row":
            found.extend(_row(block, room))
        else:
            indent = _ITEM.match(block)
            found.extend(_wrapped(block, room, len(indent[0]) if indent is not None else 0))
    return [
        line
        for number, line in enumerate(found)
        if _said(line) or (number and _said(found[number - 1]))
    ]


def _said(line: Line) -> bool:
    return any(text.strip() for text, _ in line)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each block: head, row of a table, code, text, or an empty line."""
    code: list[str] | None = None
    held: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("```"):
            if code is not None:
                yield "code", "\n".join(code)
            code = [] if code is None else None
            continue
        if code is not None:
            code.append(line)
            continue
        plain_line = bool(line) and not line.startswith(("#", "|")) and not _ITEM.match(line)
        if not plain_line and held:
            yield "text", " ".join(held)
            held = []
        if plain_line or _ITEM.match(line):
            held.append(line.strip() if held else line)
        elif line.startswith("#"):
            yield "head", line
        elif line.startswith("|") and not _RULE.match(line):
            yield "row", line
        elif not line:
            yield "text", ""


def _row(row: str, room: int) -> list[Line]:
    """A row of a table: its first cell as a name, the others behind it."""
    cells = [cell.strip() for cell in _CELL.split(row.strip().strip("|"))]
    name = _bare(cells[0])
    rest = " · ".join(cell for cell in cells[1:] if cell)
    if len(name) > 18:
        return [((f"  {line}", "key"),) for line in lines(name, room - 2)] + _wrapped(
            rest, room, 4, first=4
        )
    body = _wrapped(rest, room, 22, first=22)
    head: Part = (f"  {name:<20}", "key")
    return [(head, *body[0][1:]), *body[1:]] if body else [(head,)]


def _bare(text: str) -> str:
    return plain(_LINK.sub(r"\1", text).replace("`", "").replace("**", "").replace("\\|", "|"))


def _wrapped(text: str, room: int, indent: int, first: int = 0) -> list[Line]:
    """Words with their tones, wrapped; later lines are indented."""
    parts: list[Part] = []
    for span in _SPAN.split(_LINK.sub(r"\1", text).replace("\\|", "|")):
        marked = len(span) > 1 and span[0] in "`*" and span[-1] == span[0]
        tone = "key" if marked and span[0] == "`" else "strong" if marked else "plain"
        said = plain(span.strip("`*") if marked else span)
        parts += [(word, tone) for word in re.findall(r"\s*\S+|\s+$", said)]
    return list(_filled(parts, room, indent, first))


def _filled(parts: list[Part], room: int, indent: int, first: int) -> Iterator[Line]:
    line: list[Part] = [(" " * first, "plain")]
    used = first
    for word, tone in parts:
        if used + len(word) > room and used > indent:
            yield tuple(line)
            word = word.lstrip()
            line, used = [(" " * indent, "plain")], indent
        line.append((word, tone))
        used += len(word)
    yield tuple(line)
