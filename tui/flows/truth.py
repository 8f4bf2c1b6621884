"""Ours beside the venue's, line by line; one key settles what differs."""

from collections.abc import Iterable

from rich.cells import cell_len
from textual import events
from textual.widget import Widget

from engine.model.intent import Reconcile, Resolve, Settlement
from engine.model.view import Answer, TruthRow, View
from tui import figures
from tui.console import Console
from tui.flows.card import Sheet
from tui.flows.reading import Reading
from tui.lines import Line
from tui.link import new_id
from tui.plain import clip, plain

AGAIN = 2_000_000_000
"""Nanoseconds in which a row is not settled twice."""
KEYS = {
    "a": Settlement.ADOPT,
    "f": Settlement.FORGET,
    "x": Settlement.FLATTEN,
    "s": Settlement.SEND,
}
WORDS = {
    ("holding", Settlement.ADOPT): "take over: into our custody",
    ("holding", Settlement.FORGET): "remove from our books",
    ("holding", Settlement.FLATTEN): "take over and close",
    ("order", Settlement.FORGET): "leave it alone",
    ("order", Settlement.FLATTEN): "cancel it",
    ("unexplained", Settlement.FORGET): "leave it alone",
    (
        "exit",
        Settlement.SEND,
    ): "send it without a picture: if ours are gone, your own coins are sold",
}


class Truth(Reading):
    """`V`."""

    title_text = "Compare: ours, the venue's, and the difference"

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.card = Sheet(console.palette, id="card")
        self.chosen = ""
        """The subject of the row that a key would settle."""
        self._typed_at = 0.0
        self._asked_since = 0
        """The newest notice when the venue was asked."""
        self._asked: dict[str, int] = {}
        """When a row was settled last."""

    def body(self) -> Iterable[Widget]:
        """The table."""
        yield self.card

    def refresh_body(self) -> None:
        """As it is now. What differs stands first; the choice stays on its row while that
        is there.
        """
        view = self.console.link.view
        rows = self._rows(view)
        open_ = [row.subject for row in rows if row.actions]
        if self.chosen not in open_:
            if self.chosen:
                self.arm()  # another row took its place: a key was meant for the one that is gone
            self.chosen = open_[0] if open_ else ""
        self.card.put(
            [*self._head(view), *table(rows, self.chosen, self.room), (), self._actions(rows)]
        )

    def _rows(self, view: View) -> list[TruthRow]:
        return sorted(
            view.truth.rows,
            key=lambda row: (not row.actions, not row.differs, row.kind not in ("exit", "order")),
        )

    def _head(self, view: View) -> list[Line]:
        truth = view.truth
        if truth.as_of is None:
            return [(("the venue has not told anything yet", "busy"),)]
        age = (
            f"the venue's picture of {figures.clock(truth.as_of)},"
            f" {figures.lasted(max(view.at - truth.as_of, 0))} old; ours of now"
        )
        moving: Line = (("too much is under way to judge holdings by", "busy"),)
        return [((age, "dim"),), *([moving] if truth.in_motion else [])]

    def _actions(self, rows: list[TruthRow]) -> Line:
        row = next((row for row in rows if row.subject == self.chosen), None)
        if row is None:
            agree = not any(row.differs for row in rows)
            return (
                (
                    "ours and the venue's agree" if agree else "nothing that could be settled now",
                    "good" if agree else "dim",
                ),
            )
        parts: list[tuple[str, str]] = []
        for key, action in KEYS.items():
            if action.value in row.actions:
                parts.extend([(key, "key"), (f" {WORDS[row.kind, action]}   ", "plain")])
        return tuple(parts)

    def take_key(self, event: events.Key) -> bool:
        """Every key here may mean something: it must have been typed for what is shown."""
        self._typed_at = event.time
        return super().take_key(event)

    def pressed(self, key: str) -> bool:
        """Choose a row, settle it, ask again."""
        rows = [row for row in self._rows(self.console.link.view) if row.actions]
        at = next((index for index, row in enumerate(rows) if row.subject == self.chosen), 0)
        moves = {"j": 1, "down": 1, "k": -1, "up": -1}
        if key in moves and rows:
            self.chosen = rows[(at + moves[key]) % len(rows)].subject
            self.refresh_body()
        elif key == "R":
            self.compare()
        elif key in KEYS and rows and self.armed(self._typed_at):
            self._settle(rows[at], KEYS[key])
        else:
            return key in KEYS or key in moves
        return True

    def _settle(self, row: TruthRow, action: Settlement) -> None:
        now = self.console.link.view.at
        # a second key at once was for what is being settled
        if action.value in row.actions and now - self._asked.get(row.subject, 0) > AGAIN:
            self._asked[row.subject] = now
            words = f"{row.name}: {WORDS[row.kind, action]}"
            self.report(f"{words} …", "busy")
            self.console.link.send(
                Resolve(id=new_id(), subject=row.subject, action=action),
                lambda answer: self._answered(words, answer),
            )

    def on_mount(self) -> None:
        """Compare with the venue's newest word."""
        super().on_mount()
        self.compare()

    def compare(self) -> None:
        """Ask the venue; what was found, or that there is no answer, is said here."""
        if self.console.link.read_only:
            self.report(f"not compared: read-only: {self.console.link.why}", "warn")
            return
        self.intent_id = new_id()
        self._asked_since = max(
            (notice.seq for notice in self.console.link.view.notices), default=0
        )
        self.report("asking the venue …", "busy")
        self.console.link.send(
            Reconcile(id=self.intent_id),
            lambda answer: self._answered("compare", answer, final=False),
        )

    def _answered(self, words: str, answer: Answer | Exception, *, final: bool = True) -> None:
        """The engine's word on what a key asked for; a comparison is answered by the venue."""
        if isinstance(answer, Exception):
            self.report(f"{words}: outcome unknown: {answer}", "warn")
        elif answer.refusals:
            self.report(
                f"{words}: refused: {'; '.join(refusal.text for refusal in answer.refusals)}", "bad"
            )
        elif final:
            self.report(answer.text or words, "good")

    def show(self, view: View) -> None:
        """Hear what became of the comparison."""
        for notice in view.notices:
            if (
                notice.seq > self._asked_since
                and notice.intent == self.intent_id
                and notice.kind in ("compared", "trouble")
            ):
                self._asked_since = notice.seq
                self.report(notice.text, notice.tone)

    def confirm(self) -> None:
        """Enter closes: settling needs a key of its own."""
        self.dismiss_once()

    def keys_line(self) -> Line:
        """Whatever is not about a row."""
        return (
            ("j k", "key"),
            (" choose   ", "dim"),
            ("R", "key"),
            (" ask the venue now   ", "dim"),
            ("esc", "key"),
            (" closes", "dim"),
        )


def table(rows: list[TruthRow], chosen: str, room: int) -> list[Line]:
    """OURS, VENUE and DIFF in columns; names give way first."""
    titles = ("", "OURS", "VENUE", "DIFF")
    cells = [
        (plain(row.name), plain(row.ours), plain(row.theirs), plain(row.differs)) for row in rows
    ]
    widths = [max(cell_len(text) for text in column) for column in zip(titles, *cells, strict=True)]
    widths[0] = max(min(widths[0], room - 2 - sum(widths[1:]) - 6), 6)
    lines = [_line(titles, widths, "  ", "dim", "dim")]
    for row, texts in zip(rows, cells, strict=True):
        tone = "bad" if row.actions else "busy" if row.differs else "plain"
        lines.append(
            _line(
                texts,
                widths,
                "▸ " if row.subject == chosen and row.actions else "  ",
                "plain",
                tone,
            )
        )
    return lines


def _line(
    texts: tuple[str, str, str, str], widths: list[int], mark: str, name_tone: str, tone: str
) -> Line:
    name = clip(texts[0], widths[0])
    parts = [(mark, "key"), (name + " " * (widths[0] - cell_len(name)), name_tone)]
    parts.extend(
        ("  " + " " * (width - cell_len(text)) + text, tone)
        for text, width in zip(texts[1:], widths[1:], strict=True)
    )
    return tuple(parts)
