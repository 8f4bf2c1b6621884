"""A page as Markdown: pictures in letters, foreign text so escaped that it is text."""

import re

from engine.model.secrets import masked
from tui.figures import lasted
from tui.plain import plain
from tui.report.charts import text_chart
from tui.report.page import Chart, Lanes, Page, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#!~&])")
_SCHEME = re.compile(r"(?i)\b(https?|ftp|mailto)(:)|\b(www)(\.)")


def text(value: str) -> str:
    """Foreign text in a line: without secrets, and without meaning as Markdown, HTML or a link."""
    shown = _SPECIAL.sub(r"\\\1", plain(masked(value)))
    return _SCHEME.sub(lambda m: f"{m[1] or m[3]}\\{m[2] or m[4]}", shown)


def markdown_page(page: Page) -> str:
    """The whole file."""
    lines = [f"# {text(page.title)}", "", text(page.lead), ""]
    for section in page.sections:
        lines += [f"## {text(section.title)}", ""]
        for part in section.parts:
            lines += [*_part(part), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _part(part: str | Table | Chart | Lanes) -> list[str]:
    match part:
        case Table():
            return _table(part)
        case Chart():
            names = ", ".join(line.label for line in part.lines)
            drawn = text_chart(part)
            return ["```text", f"{_raw(part.title)}: {_raw(names)}", *drawn, "```"] if drawn else []
        case Lanes():
            return ["```text", *_lanes(part), "```"]
        case _:
            return [text(part)]


def _raw(value: str) -> str:
    """Foreign text in a block of code, which a fence inside would end."""
    return plain(masked(value)).replace("`", "'")


def _lanes(lanes: Lanes) -> list[str]:
    found = [_raw(lanes.title)]
    for label, spans in lanes.lanes:
        told = " → ".join(f"{span.word} {lasted(span.until - span.since)}" for span in spans)
        found.append(f"{_raw(label):<12} {_raw(told)}")
    return found


def _table(table: Table) -> list[str]:
    head = " | ".join(text(title) for title in table.titles)
    rule = " | ".join("---" for _ in table.titles)
    rows = [f"| {' | '.join(text(cell) for cell in row)} |" for row in table.rows]
    return [f"| {head} |", f"| {rule} |", *rows]
