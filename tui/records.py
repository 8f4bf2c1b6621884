"""Commands about what is written down: the journal, exports, the settings."""

import sys
import time
from itertools import takewhile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from engine import looking, symbol_tables
from engine.desk.state import State, encode_state
from engine.journal import Journal, JournalError
from engine.outlets import exports
from engine.replay import replay as replayed
from engine.session import summary as summaries
from engine.session.summary import Summary
from engine.session.witness import set_back
from engine.settings import SECTIONS, Loaded, Settings, describe, shown
from tui.common import Common
from tui.opening import account_of, settings_of
from tui.saying import say


def _open(common: Common) -> tuple[Journal, Settings]:
    """The account's journal, to read beside whoever writes it."""
    resolved = account_of(common)
    settings, path = resolved.settings, resolved.folder / "journal.sqlite"
    try:
        if settings.journal.url is None and not path.exists():
            raise JournalError(f"journal {path}: there is none; open the console once, or name another --home or --account")
        return looking.journal_of(settings, resolved.folder), settings
    except JournalError as error:
        say(f"flatout: {error}", err=True)
        raise SystemExit(2) from error


def verify(common: Common) -> int:
    """0: all is well; 1: something is not as it was written, or the home knows more than the journal."""
    known, gone = _known(common)  # first: an engine that runs writes it after the journal
    if known is not None and gone:
        say(set_back(known, 0, lambda _: None, lambda _: False, "") + "; there is no journal now")
        return 1
    journal, _ = _open(common)
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("verifying", total=None)
            faults = journal.verify(lambda done, total: bar.update(task, completed=done, total=total))
        events = journal.last_seq
        behind = set_back(known, events, journal.hash_at, journal.knows_order, journal.id)
    except JournalError as error:
        say(f"flatout journal verify: {error}", err=True)
        return 1
    finally:
        journal.close()
    texts = [fault.text for fault in faults] + ([behind] if behind else [])
    for text in texts:
        say(text)
    say(f"{events} events: " + (f"{len(texts)} faults" if texts else "all as they were written"))
    return 1 if texts else 0


def _known(common: Common) -> tuple[Summary | None, bool]:
    """What the home remembers of its journal, and whether the journal's file is gone."""
    resolved = account_of(common)
    gone = resolved.settings.journal.url is None and not (resolved.folder / "journal.sqlite").exists()
    return summaries.read(resolved.folder), gone


def tail(common: Common, count: int) -> int:
    """One line per event."""
    journal, _ = _open(common)
    try:
        for stored in journal.tail(count):
            say(f"{stored.seq:>8}  {_time(stored.at)}  {stored.kind:<22} {stored.body.decode(errors='replace')}")
    except JournalError as error:
        say(f"flatout journal tail: {error}", err=True)
        return 1
    finally:
        journal.close()
    return 0


def replay(common: Common, upto: int | None) -> int:
    """The state that the events give, as JSON."""
    journal, settings = _open(common)
    state = State(settings.account.name, settings.account.currency)
    try:
        replayed(state, takewhile(lambda stored: upto is None or stored.seq <= upto, journal.events()))
    except JournalError as error:
        say(f"flatout journal replay: after event {state.seq}: {error}", err=True)
        return 1
    finally:
        journal.close()
    say(encode_state(state).decode())
    return 0


def _time(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 1_000_000_000)) + f".{at // 1_000_000 % 1000:03d}"


def export_rows(common: Common, what: Any, form: str, output: Path | None) -> int:
    """Stream the rows of a read model."""
    if form == "parquet" and output is None:
        say("flatout export: parquet needs --output FILE", err=True)
        return 2
    journal, _ = _open(common)
    write = exports.write_json if form == "json" else exports.write_csv
    try:
        rows = journal.rows(what)
        if form == "parquet" and output is not None:
            exports.write_parquet(rows, output)
        elif output is None:
            write(rows, sys.stdout)
        else:
            with output.open("w", encoding="utf-8", newline="") as file:
                write(rows, file)
    except (JournalError, OSError, exports.ExtraMissingError) as error:
        say(f"flatout export: {error}", err=True)
        return 1
    finally:
        journal.close()
    return 0


def show_settings(common: Common, *, everything: bool) -> int:
    """Each key with its value and its origin."""
    loaded = settings_of(common)
    words = describe()
    for section in SECTIONS:
        values = getattr(loaded.settings, section)
        lines = []
        for name in values.__struct_fields__:
            key = f"{section}.{name}"
            origin = loaded.origins.get(key)
            if origin is None and not everything:
                continue
            if everything:
                lines.append(f"  # {words.get(key, '')}")
            lines.append(f"  {name} = {shown(getattr(values, name))}  # {origin or 'default'}")
        if lines:
            say(f"[{section}]")
            say(*lines)
    _show_symbols(loaded, words, everything=everything)
    if not loaded.origins and not everything:
        say("everything stands at its default; --all shows the keys and what they mean")
    return 0


def _show_symbols(loaded: Loaded, words: dict[str, str], *, everything: bool) -> None:
    """The keys of each symbol that has any, and which of them this account does not read."""
    settings = loaded.settings
    unread = symbol_tables.unread(settings.symbols, settings.market.symbols, paper=settings.account.venue == "paper")
    if settings.market.source == "recorded":
        unread = {}  # the files say what is traded
    for symbol, own in settings.symbols.items():
        say(f'[symbols."{symbol}"]')
        for name in symbol_tables.FIELDS:
            key = symbol_tables.key_of(symbol, name)
            origin = loaded.origins.get(key)
            if everything:
                say(f"  # {words[f'symbols.{name}']}")
            if origin is not None or everything:
                note = f"; {unread[key]}" if key in unread else ""
                say(f"  {name} = {shown(getattr(own, name))}  # {origin or 'default'}{note}")
    if everything and not settings.symbols:
        say('[symbols."BTC/USD"]  # for a symbol of yours; each key is unset')
        for name in symbol_tables.FIELDS:
            say(f"  # {name}: {words[f'symbols.{name}']}")
