"""`flatout do`: lines of the command line without a console, asked of the engine that holds the
account, or of one that is opened for them.
"""

import asyncio
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.account.home import Home
from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.card import Card, card
from engine.grammar.carry import Carrying, Ended, Outcome, drive
from engine.grammar.parser import parse, read_macros
from engine.grammar.printing import printed
from engine.grammar.resolve import Confirm, Step, confirmation, plan
from engine.grammar.wrong import Wrong
from engine.model.intent import AnyIntent
from engine.model.templates import Templates
from engine.model.view import Answer, Preview, View
from engine.session import messages as m
from engine.session.client import ControlError
from engine.session.taking import PenHeldError
from engine.setup.filling import filled
from engine.setup.sections import Settings
from tui.asking import hear, last_trades, without_screen
from tui.cli.chosen import account_of, settings_of
from tui.cli.common import FILE, Common
from tui.cli.doors import Door, OwnDoor, door_to
from tui.cli.ends import ends_with_us
from tui.cli.output import say

DONE, REFUSED, UNUSABLE, UNKNOWN = 0, 1, 2, 6
CODES = {
    Outcome.DONE: DONE,
    Outcome.REFUSED: REFUSED,
    Outcome.RAN_OUT: REFUSED,
    Outcome.STOPPED: REFUSED,
    Outcome.UNKNOWN: UNKNOWN,
}
LOOK = 0.1
"""Seconds between two looks while something is waited for."""
READY = 20.0
"""Seconds that an engine gets to finish its start."""
SETTLES = 10
"""Seconds that the venue gets at the end to accept what was asked."""
TAKEN_WITHIN = 10_000_000_000
"""Nanoseconds after which an engine that hung takes nothing of it any more."""
OF_THE_SCREEN = ("chart", "layout", "theme", "symbol")


class Wanted(Struct, frozen=True):
    """What was asked for on the command line."""

    lines: tuple[tuple[str, str], ...]
    """Where each was written (empty for an argument), and the text."""
    yes: bool
    dry_run: bool
    as_json: bool
    key: str
    symbol: str


class UnusableError(Exception):
    """The input can't be used; the text says where and why."""


def do(
    common: Common,
    texts: tuple[str, ...],
    file: Path | None,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    key: str,
    symbol: str,
) -> int:
    """Carry the lines out; the exit code."""
    try:
        lines = _lines(texts, file)
        found = account_of(common, settings_of(common), command="do")
        wanted = Wanted(lines, yes, dry_run, as_json, key or f"do-{uuid4().hex}", symbol)
        return asyncio.run(_run(common, found.settings, wanted))
    except UnusableError as error:
        say(*f"flatout do: {error}".split("\n"), err=True)
        return UNUSABLE


def _lines(texts: tuple[str, ...], file: Path | None) -> tuple[tuple[str, str], ...]:
    """What is to be done: the arguments, or the lines of a file without blanks and remarks."""
    if (file is None) is (not texts):
        raise UnusableError("name lines, such as 'close eth 50%', or a file of them with -f")
    if file is None:
        return tuple(("", text) for text in texts)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{file} can't be read: {error}") from error
    found = tuple(
        (f"{file}:{number}", line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    )
    if not found:
        raise UnusableError(f"{file}: there is no line in it")
    return found


async def _run(common: Common, settings: Settings, wanted: Wanted) -> int:
    home = Home.of(settings.account.name, common.home)
    try:
        door = await door_to(common, settings, home)
    except (ControlError, PenHeldError, OSError) as error:
        raise UnusableError(str(error)) from error
    try:
        code = await Doing(door, settings, home.folder, wanted).run()
        if isinstance(door, OwnDoor) and not wanted.dry_run:
            say(*ends_with_us(await door.view()), err=True)
        return code
    except ControlError as error:
        say(f"flatout do: {error}: what was asked may have happened", err=True)
        return UNKNOWN
    finally:
        await door.close()


class Doing:
    """The lines of one call."""

    def __init__(self, door: Door, settings: Settings, home: Path, wanted: Wanted) -> None:
        self._door = door
        self._settings = settings
        self._home = home
        self._wanted = wanted
        self._variables: dict[str, t.Size | t.AnyPrice] = {}
        self._macros = read_macros(settings.commands)[0]
        templates = Templates.of(settings.templates, settings.symbols)
        self._filled = filled(templates, time.time_ns)
        self._added: set[str] = set()
        """All that is heard, once a line has changed that."""
        self._last: dict[str, Decimal] = {}
        """By symbol, the price of the last trade, where a line asks for one."""

    def around(self, view: View) -> Around:
        """What a line is said against: no symbol is selected here, but one may be named, or be the
        only one.
        """
        held = {p.symbol for p in view.positions}
        traded = {feed.symbol for feed in view.feeds}
        only = next((one.copy().pop() for one in (held, traded) if len(one) == 1), "")
        settings = self._settings
        bare = Around(
            view=view,
            last=self._last,
            variables=self._variables,
            presets=settings.console.presets,
            macros=self._macros,
            filled=self._filled,
            templates=tuple(settings.templates),
        )
        focus = bare.vocabulary.find(self._wanted.symbol) if self._wanted.symbol else (only,)
        if len(focus) != 1:
            raise UnusableError(f"--symbol {self._wanted.symbol}: no one symbol is called so here")
        return replace(bare, focus=focus[0])

    async def run(self) -> int:
        """All of them, in order, up to the first that is not done."""
        view = await self._ready()
        first = self._until_added(view)
        told: list[dict[str, Any]] = []
        code = DONE
        for number, (at, text) in enumerate(self._wanted.lines, 1):
            line = first.pop(0) if first else self._parsed(at, text, await self._priced())
            code, row = await self._one(line, f"{self._wanted.key}.{number}")
            told.append(row)
            if code != DONE:
                break
        if self._wanted.as_json:
            say(json.dumps(told, ensure_ascii=False))
        return code

    def _until_added(self, view: View) -> list[t.Line]:
        """The lines as they are read before the first is done. What follows one that adds a symbol
        may name it, and is read once that is done.
        """
        lines = []
        for at, text in self._wanted.lines:
            lines.append(self._parsed(at, text, view))
            if any(isinstance(c, t.Watch) and c.do == "add" for c in lines[-1].commands):
                break
        return lines

    async def _priced(self) -> View:
        """A view with a price of every symbol that was added."""
        until = time.monotonic() + READY
        while True:
            view = await self._door.view()
            if self._added <= {feed.symbol for feed in view.feeds} or time.monotonic() > until:
                return view
            await asyncio.sleep(LOOK)

    async def _ready(self) -> View:
        """A view of an engine that has started and knows prices."""
        until = time.monotonic() + READY
        while True:
            view = await self._door.view()
            starting = any(reason.code == "STARTING" for reason in view.reasons)
            if (not starting and view.feeds) or time.monotonic() > until:
                return view
            await asyncio.sleep(LOOK)

    def _parsed(self, at: str, text: str, view: View) -> t.Line:
        parsed = parse(text, self.around(view).vocabulary)
        if parsed.line is None:
            assert parsed.wrong is not None
            raise UnusableError("\n".join(pointed(text, parsed.wrong, at)))
        for command in parsed.line.commands:
            if isinstance(command, t.Show) and command.word in OF_THE_SCREEN:
                raise UnusableError(f"{at and at + ': '}“{command.word}” needs a console's screen")
            if isinstance(command, t.Cancel) and command.what == "wait":
                raise UnusableError(f"{at and at + ': '}no wait runs here")
        return parsed.line

    async def _one(self, line: t.Line, key: str) -> tuple[int, dict[str, Any]]:
        view = await self._look()
        text = printed(line)
        steps = plan(line, self.around(view), key)
        if isinstance(steps, Wrong):
            self._say(f"✗ {text}: {steps.text}", err=True)
            return REFUSED, {"line": text, "outcome": "refused", "text": steps.text}
        needed = confirmation(steps)
        found = [await self._card(step) for step in steps]
        row: dict[str, Any] = {
            "line": text,
            "confirm": needed.name.lower(),
            "parts": [_row(*pair) for pair in zip(steps, found, strict=True)],
        }
        refusals = [one.text for part in found for made in part.previews for one in made.refusals]
        if self._wanted.dry_run:
            self._show(found)
            return (REFUSED if refusals else DONE), row
        if needed >= Confirm.CARD and not self._wanted.yes:
            self._show(found)
            self._say("nothing was done: say --yes to do it", err=True)
            return REFUSED, row | {"outcome": "refused", "text": "it needs --yes"}
        ended = await self._carried(line, key)
        self._say(f"{'✓' if ended.outcome is Outcome.DONE else '✗'} {text}: {ended.text}")
        return CODES[ended.outcome], row | {"outcome": ended.outcome.value, "text": ended.text}

    async def _carried(self, line: t.Line, key: str) -> Ended:
        carrying = Carrying(line, key, self.around)

        async def run() -> Ended:
            return await drive(carrying, self._look, self._ask, self._perform, _pause)

        ended = await run()
        self._variables |= carrying.variables
        carrying.settle(SETTLES)
        settled = await run()
        if settled.outcome is Outcome.RAN_OUT and ended.outcome is Outcome.DONE:
            text = f"{ended.text}; the venue has not confirmed it in {SETTLES} s"
            return Ended(Outcome.UNKNOWN, text, settled.part)
        return ended if settled.outcome is Outcome.DONE else settled

    async def _look(self) -> View:
        view = await self._door.view()
        if any("last" in text.lower() for _, text in self._wanted.lines):
            symbols = [feed.symbol for feed in view.feeds]
            self._last = await last_trades(self._door.query, symbols)
        return view

    async def _ask(self, intent: AnyIntent) -> Answer:
        return await self._door.ask(replace(intent, not_after=time.time_ns() + TAKEN_WITHIN))

    async def _perform(self, command: t.Performed) -> str:
        if isinstance(command, t.Watch):
            text, symbols = await hear(self._door.query, command)
            self._added = set(symbols)
            return text
        if isinstance(command, t.Show) and command.word in ("export", "notify"):
            return await without_screen(self._door.query, self._home, command.word, command.words)
        if isinstance(command, t.Show) and command.word == "help":
            return "docs/command-line.md has the grammar and its examples"
        raise ValueError("this needs a console's screen")

    async def _card(self, step: Step) -> Card:
        told = []
        for intent in step.intents:
            preview = await self._door.query(m.Try(intent))
            assert isinstance(preview, Preview)
            told.append(preview)
        return card(step, told)

    def _show(self, found: list[Card]) -> None:
        for one in found:
            self._say(one.words)
            self._say(*([f"  {one.waits}"] if one.waits else []))
            for preview in one.previews:
                for line in preview.lines:
                    before = f"{line.before} → " if line.before else ""
                    self._say(f"  {line.name:<16} {before}{line.after}")
                self._say(*(f"  ! {text}" for text in preview.warnings))
                self._say(*(f"  ✗ {refusal.text}" for refusal in preview.refusals))

    def _say(self, *lines: str, err: bool = False) -> None:
        """Print lines for a person; JSON stands alone."""
        if not self._wanted.as_json:
            say(*lines, err=err)


async def _pause() -> None:
    await asyncio.sleep(LOOK)


def pointed(text: str, wrong: Wrong, at: str = "") -> list[str]:
    """A line, and under it what is wrong at its place."""
    span = wrong.span
    arrow = " " * span.start + "^" * max(span.end - span.start, 1)
    return [f"{at}: {wrong.text}" if at else wrong.text, f"  {text}", f"  {arrow}"]


def _row(step: Step, found: Card) -> dict[str, Any]:
    """One part as JSON."""
    made: dict[str, Any] = msgspec.to_builtins(found)
    intents = [msgspec.to_builtins(one) for one in step.intents]
    return {
        "command": made.pop("words"),
        "confirm": step.confirm.name.lower(),
        "intents": intents,
    } | made


@click.command("do")
@click.argument("lines", nargs=-1)
@click.option("-f", "file", type=FILE, help="A file of lines, or - for standard input.")
@click.option("--yes", is_flag=True, help="Do also what the console would ask about once more.")
@click.option("--dry-run", is_flag=True, help="Only say what each part would do.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--id",
    "key",
    default="",
    help="The idempotency key: the same one asked again is done once; default: a fresh one.",
)
@click.option("--symbol", default="", help="The symbol that is meant where a line names none.")
@click.pass_obj
def command(common: Common, /, lines: tuple[str, ...], **options: Any) -> None:
    """Do what the console's command line does: `flatout do 'close eth 50%'`.

    Exit codes: 0 done, and the venue has it; 1 refused, run out, or it needs --yes; 2 the line
    can't be used; 6 the outcome is not known.
    """
    sys.exit(do(common, lines, **options))
