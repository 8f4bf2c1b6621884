"""The steps of a timeline as lines of text, for the screen and for the command."""

from engine.model.timeline import Step
from tui import figures
from tui.lines import Line
from tui.plain import clip, plain

KIND = 10
"""Cells of a step's kind."""
TONES = {"good": "up", "bad": "danger", "busy": "busy"}
MILLISECOND = 1_000_000


def clock(at: int) -> str:
    """`02:31:44.182`, UTC."""
    return f"{figures.clock(at)}.{at // MILLISECOND % 1000:03d}"


def details(step: Step) -> str:
    """Who asked, the lane, the tokens, and how long it waited or took."""
    parts = [step.who] if step.who else []
    if step.lane:
        parts.append(f"lane {step.lane}")
    if step.tokens:
        parts.append(f"tokens {step.tokens}")
    if step.waited is not None:
        parts.append(f"waited {figures.short(step.waited)}")
    if step.took is not None:
        parts.append(f"after {figures.short(step.took)}")
    return ", ".join(parts)


def head(step: Step) -> str:
    """When, how long after the step before, and which kind."""
    since = f"+{figures.short(step.since)}" if step.since else ""
    return f"{clock(step.at)} {since:>11}  {step.kind:<{KIND}}"


def step_text(step: Step) -> str:
    """A step in one line of plain text."""
    more = details(step)
    return f"{head(step)} {plain(step.text)}" + (f"   {plain(more)}" if more else "")


def step_lines(step: Step, room: int) -> list[Line]:
    """A step in the lines that it needs at a width."""
    start, text, more = head(step), plain(step.text), plain(details(step))
    tone = TONES.get(step.tone, "plain")
    space = max(room - len(start) - 2, 20)
    rows = _broken(text, space)
    found: list[Line] = [((f"{start} ", "dim"), (rows[0], tone))]
    indent = " " * (len(start) + 1)
    found.extend(((indent, "plain"), (row, tone)) for row in rows[1:])
    if more and len(rows) == 1 and len(text) + len(more) + 3 <= space:
        found[0] = (*found[0], (f"   {more}", "dim"))
    elif more:
        found.extend(((indent, "plain"), (row, "dim")) for row in _broken(more, space))
    return found


def _broken(text: str, space: int) -> list[str]:
    """The text at its spaces; a word that is too long is cut."""
    rows: list[str] = []
    row = ""
    for word in text.split(" "):
        if row and len(row) + 1 + len(word) > space:
            rows.append(row)
            row = clip(word, space)
        else:
            row = f"{row} {word}" if row else clip(word, space)
    return [*rows, row]
