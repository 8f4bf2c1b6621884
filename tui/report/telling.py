"""An incident as a page: what it comes to, what was naked, each position, alerts, every step."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from engine.model.counts import counted
from engine.model.incident import UNWATCHED, Cover, Incident, Track
from engine.model.money import grouped
from engine.model.side import Side
from engine.model.timeline import Step
from tui.figures import lasted, money, multiple, short, stamp
from tui.report.page import Chart, Lanes, Line, Mark, Page, Section, Span, Table
from tui.steps import clock, details

WORDS = {
    "venue": ("VENUE", "venue"),
    "guarded": ("LOCAL", "local"),
    "partial": ("PARTIAL", "bare"),
    "naked": ("NAKED", "bare"),
    UNWATCHED: ("UNWATCHED", "bare"),
}
"""By protection: the word that the console has for it, and its tone."""
COUNTS = (
    ("asked", "asked"),
    ("refused", "refused"),
    ("request", "sent to the venue"),
    ("answer", "answered by the venue"),
    ("fill", "fills"),
    ("doubt", "not known for a while"),
    ("alert", "alerts raised or over"),
)
"""Kinds of steps that the summary counts, and their words."""
PRICES = (
    "The journal keeps no stream of prices. The price line goes through what it knows: fills, the"
    " extremes and the profit of its samples (every ten seconds while something is held), and where"
    " a trail followed. Between them the price may have been anywhere."
)
TIMES = (
    "Times are UTC, by the clock of the machine that ran the engine. A request is told at the time"
    " at which it was decided and written down; it left after that."
)


def page_of(incident: Incident, extra: Iterable[Section] = ()) -> Page:
    """The page; `extra` sections stand first."""
    sections = [
        *extra,
        Section("Summary", _summary(incident)),
        Section("Without protection", _bare(incident)),
        *(_position(incident, track) for track in incident.tracks),
        *_equity(incident),
        Section("Alerts", _alerts(incident)),
        Section("Timeline", _timeline(incident)),
        Section("What this page can't tell", (PRICES, TIMES)),
    ]
    return Page(f"{incident.account}: {incident.about}", _lead(incident), tuple(sections))


def _lead(incident: Incident) -> str:
    held = counted(len(incident.tracks) + incident.tracks_left, "position")
    bare = sum(incident.bare.values())
    said = f"{held}, {counted(incident.counts.get('fill', 0), 'fill')}."
    if bare:
        names = counted(len(incident.bare), "position")
        return f"{said} {names} had no full protection, for {_exact(bare)} in all."
    return f"{said} No position was without full protection."


def _exact(nanoseconds: int) -> str:
    return short(nanoseconds) if nanoseconds < 60_000_000_000 else lasted(nanoseconds)


def _summary(incident: Incident) -> tuple[Table | str, ...]:
    rows = [
        ("account", incident.account),
        ("from", stamp(incident.since)),
        ("to", stamp(incident.until)),
        ("events of the journal", f"{incident.first} to {incident.last}"),
        *((words, str(incident.counts.get(kind, 0))) for kind, words in COUNTS),
    ]
    for currency, amount in incident.results.items():
        rows.append(("realised, net of fees", f"{money(amount, currency)} {currency}"))
    for since, until in incident.engines:
        rows.append(
            ("no engine ran", f"{clock(since)} to {clock(until)} ({_exact(until - since)})")
        )
    found: list[Table | str] = [Table(("", ""), tuple(rows))]
    if incident.tracks_left:
        found.append(
            f"Only {len(incident.tracks)} positions are told here, those without protection first;"
            f" {incident.tracks_left} more are not: `flatout report ID` tells one."
        )
    return tuple(found)


def _name(track: Track) -> str:
    return f"{track.label} {track.symbol}".strip()


def _bare(incident: Incident) -> tuple[Table | Lanes | str, ...]:
    names = {track.id: _name(track) for track in incident.tracks}
    bare = [cover for cover in incident.covers if cover.bare]
    found: list[Table | Lanes | str] = []
    if bare:
        rows = tuple(
            (
                clock(cover.since),
                clock(cover.until),
                _exact(cover.until - cover.since),
                WORDS[cover.word][0],
                names.get(cover.position, cover.position),
            )
            for cover in bare
        )
        titles = ("from", "to", "lasted", "state", "position")
        found.append(Table(titles, rows, ("bad",) * len(rows)))
    else:
        found.append("Nothing: whatever was held had a stop at the venue or was watched.")
    lanes = tuple(
        (_name(track), _spans(incident.covers, track.id))
        for track in incident.tracks
        if any(cover.position == track.id for cover in incident.covers)
    )
    if lanes:
        found.append(Lanes("What protected each position", incident.since, incident.until, lanes))
    return tuple(found)


def _spans(covers: Sequence[Cover], position: str, *, bare: bool = False) -> tuple[Span, ...]:
    return tuple(
        Span(cover.since, cover.until, *WORDS[cover.word])
        for cover in covers
        if cover.position == position and (cover.bare or not bare)
    )


def _position(incident: Incident, track: Track) -> Section:
    ended = f"closed by {track.reason}" if track.reason else f"{grouped(track.left)} still held"
    entry = "never entered" if track.entry is None else f"entered at {grouped(track.entry)}"
    in_r = f", {multiple(track.r)}R" if track.r is not None and track.reason else ""
    result = f"{money(track.profit, track.currency)} {track.currency}{in_r}"
    told = f"{track.side.value} {grouped(track.size)} {track.symbol}, {entry}; {ended}."
    parts: list[Table | Chart | str] = [f"{told} Realised {result}.", _prices(incident, track)]
    if track.fills:
        parts.append(
            Table(
                ("time", "side", "size", "price", "fee", "order"),
                tuple(
                    (
                        clock(fill.at),
                        fill.side.value,
                        grouped(fill.size),
                        grouped(fill.price),
                        f"{grouped(fill.fee)} {fill.fee_currency}",
                        fill.client_order_id,
                    )
                    for fill in track.fills
                ),
            )
        )
    return Section(f"{_name(track)} ({track.id})", parts)


def _prices(incident: Incident, track: Track) -> Chart:
    """Its prices, entry, the path of its stop, fills, and when it was without protection."""
    lines = [Line("price as the journal knows it", "price", track.prices)]
    stops = _stop_lines(track)
    if track.entry is not None:
        at = track.fills[0].at if track.fills else track.since
        lines.append(Line("entry", "entry", ((at, track.entry), (track.until, track.entry))))
    marks = tuple(
        Mark(
            fill.at,
            float(fill.price),
            fill.side is Side.BUY,
            f"{clock(fill.at)} {fill.side.value} {grouped(fill.size)} at {grouped(fill.price)}",
        )
        for fill in track.fills
    )
    return Chart(
        f"Price and stop of {_name(track)}",
        track.since,
        track.until,
        (*lines, *stops),
        marks,
        _spans(incident.covers, track.id, bare=True),
    )


def _stop_lines(track: Track) -> list[Line]:
    """The stop's path; a stretch without one is a gap."""
    found: list[Line] = []
    part: list[tuple[int, Decimal]] = []
    for at, stop in (*track.stops, (track.until, None)):
        if part:
            part.append((at, part[-1][1]))  # each value holds until the next
        if stop is not None:
            part.append((at, stop))
        elif part:
            found.append(Line("stop", "stop", tuple(part)))
            part = []
    return found


def _equity(incident: Incident) -> list[Section]:
    points = incident.equity
    if len(points) < 2:
        return []
    values = [value for _, value in points]
    unit = incident.currency
    told = (
        f"From {money(values[0], unit)} to {money(values[-1], unit)} {unit}; lowest"
        f" {money(min(values), unit)}, highest {money(max(values), unit)}."
    )
    line = Line("equity", "equity", points)
    return [Section("Equity", (told, Chart("Equity", incident.since, incident.until, (line,))))]


def _alerts(incident: Incident) -> tuple[Table | str, ...]:
    steps = [step for step in incident.steps if step.kind == "alert"]
    if not steps:
        return ("None.",)
    rows = tuple((clock(step.at), step.text) for step in steps)
    return (Table(("time", "alert"), rows, tuple(_tone(step) for step in steps)),)


def _timeline(incident: Incident) -> tuple[Table | str, ...]:
    rows = tuple(
        (
            clock(step.at),
            f"+{short(step.since)}" if step.since else "",
            step.kind,
            step.text,
            details(step),
        )
        for step in incident.steps
    )
    table = Table(
        ("time (UTC)", "after", "what", "told", "by, lane, tokens, times"),
        rows,
        tuple(_tone(step) for step in incident.steps),
    )
    if not incident.left_out:
        return (table,)
    older = (
        f"{counted(incident.left_out, 'older step')} had no room here: alerts, fills, refusals and"
        " what protected a position are kept longest. `flatout report POSITION` tells one whole."
    )
    return older, table


def _tone(step: Step) -> str:
    return step.tone or "plain"
