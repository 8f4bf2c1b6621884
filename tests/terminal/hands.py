"""Hands at a real terminal: dialogs with their fields, random keys for them, and a plain model of
what the keys make of a field.
"""

import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.terminal import ENTER, ESCAPE, ROOT, Terminal

PROGRAM = (sys.executable, str(ROOT / "tests" / "terminal" / "handled.py"))
CODES = {
    "backspace": b"\x7f", "delete": b"\x1b[3~", "left": b"\x1b[D", "right": b"\x1b[C", "home": b"\x1b[H", "end": b"\x1b[F",
    "ctrl+a": b"\x01", "ctrl+e": b"\x05", "ctrl+u": b"\x15", "ctrl+k": b"\x0b", "ctrl+w": b"\x17",
    "tab": b"\t", "shift+tab": b"\x1b[Z", "space": b" ", "enter": ENTER, "ctrl+p": b"\x10",
}  # fmt: skip
EDITS = (
    "backspace",
    "backspace",
    "backspace",
    "delete",
    "left",
    "left",
    "right",
    "home",
    "end",
    "ctrl+a",
    "ctrl+e",
    "ctrl+u",
    "ctrl+k",
    "ctrl+w",
)
SPACINGS = (None, 0.0, 0.005, 0.02, 0.08, 0.2)


def code(key: str) -> bytes:
    """What a terminal sends for a key."""
    return CODES.get(key) or key.encode()


@dataclass
class Plain:
    """A line and a cursor, as any editor has them."""

    left: str = ""
    right: str = ""

    @property
    def text(self) -> str:
        return self.left + self.right

    def press(self, key: str) -> None:
        """Do what a key does."""
        match key:
            case "backspace":
                self.left = self.left[:-1]
            case "delete":
                self.right = self.right[1:]
            case "left" if self.left:
                self.left, self.right = self.left[:-1], self.left[-1] + self.right
            case "right" if self.right:
                self.left, self.right = self.left + self.right[0], self.right[1:]
            case "home" | "ctrl+a":
                self.left, self.right = "", self.text
            case "end" | "ctrl+e":
                self.left, self.right = self.text, ""
            case "ctrl+u":
                self.left = ""
            case "ctrl+k":
                self.right = ""
            case "ctrl+w":
                kept = self.left.rstrip()
                self.left = kept[: kept.rfind(" ") + 1]
            case "left" | "right":
                pass
            case _:
                self.left += " " if key == "space" else key


@dataclass
class Chosen:
    """One of a few words."""

    words: tuple[str, ...]
    index: int = 0

    @property
    def text(self) -> str:
        return self.words[self.index]

    def press(self, key: str) -> None:
        """Left, right, space, and first letters; any other key does nothing."""
        if key in ("right", "space"):
            self.index += 1
        elif key == "left":
            self.index -= 1
        else:
            self.index = next(
                (i for i, word in enumerate(self.words) if word.startswith(key)), self.index
            )
        self.index %= len(self.words)


Slot = tuple[str, str, str]
"""Name, what is typed into it (digits, percent, words, or the words of a choice), and what stands
in it at first.
"""


@dataclass
class Case:
    """A dialog: the keys that open it, its fields in the order of tab, and what is asked for in the
    end.
    """

    keys: tuple[str, ...]
    title: str
    slots: tuple[Slot, ...]
    request: Callable[[dict[str, str]], dict[str, Any]]
    """From the texts of the fields to a part of the request."""
    final: dict[str, str] = field(default_factory=dict)
    """What the field holds in the end, where that can't be anything."""
    behind: tuple[str, ...] = ()
    """Keys behind the first enter, where that asks for nothing yet."""


def _number(text: str) -> str:
    return text.lstrip("0") or "0"


def _place(text: str) -> dict[str, str]:
    return {"type": "at", "price": _number(text)}


CASES: dict[str, Case] = {
    "ticket": Case(
        ("n",), "New order",
        (("side", "buy sell", ""), ("amount", "digits", ""), ("means", "risk size notional", ""), ("stop", "digits", ""),
         ("target", "digits", ""), ("type", "", ""), ("price", "digits", ""), ("trail", "", ""), ("leverage", "", ""), ("note", "words", "")),
        lambda told: {
            "intent": "open", "side": told["side"], "note": " ".join(told["note"].split(" ")).strip(), "stop": _place(told["stop"]),
            "target": _place(told["target"]),
            "size": {"type": {"risk": "risk", "size": "base", "notional": "notional"}[told["means"]], "amount": _number(told["amount"])},
        },
    ),
    "stop": Case(
        ("m",), "Move the stop", (("stop", "digits", "60,796.0"), ("reason", "words", "")),
        lambda told: {"intent": "move_stop", "stop": _place(told["stop"]), "reason": told["reason"].strip()},
    ),
    "target": Case(
        ("M",), "Move the target", (("target", "digits", "64,584.0"),),
        lambda told: {"intent": "move_target", "target": _place(told["target"])},
    ),
    "trail": Case(
        ("t",), "Trailing stop", (("distance", "digits", "0.8%"), ("after", "", "")),
        lambda told: {"intent": "trail", "trail": {"amount": _number(told["distance"]), "fraction": None, "after": None, "limit": None}},
    ),
    "note": Case(
        ("N",), "Note", (("note", "words", ""), ("tags", "words", "")),
        lambda told: {"intent": "annotate", "note": told["note"].strip(), "tags": list(dict.fromkeys(told["tags"].split()))},
    ),
    "part": Case(
        ("X",), "Close a part", (("", "25% 50% 75%", "50%"),),
        lambda told: {"intent": "close", "part": str(int(told[""][:2]) / 100).rstrip("0")},
    ),
    "amend": Case(
        ("2", "g", "j", "j", "m"), "Amend an order", (("price", "digits", "61,000.0"),),
        lambda told: {"intent": "amend", "price": _number(told["price"])}
    ),
    "flatten": Case(("F",), "FLATTEN EVERYTHING", (("type FLATTEN", "words", ""),), lambda told: {"intent": "flatten"}, {"type FLATTEN": "FLATTEN"}),
    "live": Case(
        (":", *"live", "enter"), "GO LIVE", (("account", "words", ""),), lambda told: {"intent": "go_live", "account": told["account"].strip()}
    ),
    "command line": Case((":",), "Command", ((":", "words", ""),), lambda told: {"intent": "pause"}, {":": "pause"}),
    "command line, a close": Case(
        (":",), "Command", ((":", "words", ""),), lambda told: {"intent": "close", "position": "P2", "part": "0.5"}, {":": "close eth 50%"}
    ),
    "command line, an entry": Case(
        (":",), "Command", ((":", "words", ""),),
        lambda told: {"intent": "open", "symbol": "ETH/USD", "side": "buy", "size": {"type": "base", "amount": "0.5"},
                      "stop": {"type": "away", "fraction": "0.01"}},
        {":": "buy eth 0.5 stop -1%"},
    ),
    "filter": Case(
        ("/",), "Filter", (("/", "words", ""),), lambda told: {"intent": "close", "position": "P2"}, {"/": "eth"}, ("g", "x")
    ),
    "palette": Case(("ctrl+p",), "Commands", ((":", "words", ""),), lambda told: {"intent": "pause"}, {":": "pause or"}),
}  # fmt: skip


class Played:
    """A case in the hands of chance: its keys, and what they make of the fields."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.keys: list[str] = []
        self.random = random.Random(seed)
        self.fields: list[Plain | Chosen] = []
        for _, kind, start in case.slots:
            words = tuple(kind.split())
            self.fields.append(
                Chosen(words, words.index(start) if start else 0)
                if len(words) > 1
                else Plain(start)
            )
        for index, (name, kind, _) in enumerate(case.slots):
            if index:
                self.keys.append("tab")
                if self.random.random() < 0.3:  # back and forth
                    self.keys.extend(("shift+tab", "tab"))
            self._type(index, name, kind)

    def _press(self, index: int, *keys: str) -> None:
        for key in keys:
            self.keys.append(key)
            self.fields[index].press(key)

    def _type(self, index: int, name: str, kind: str) -> None:
        chance = self.random
        if isinstance(self.fields[index], Chosen):
            self._press(
                index,
                *(
                    chance.choice(
                        ("left", "right", "space", "right", *(w[0] for w in kind.split()))
                    )
                    for _ in range(chance.randint(0, 4))
                ),
            )
            return
        if not kind:
            return
        signs = "0123456789" if kind == "digits" else "abcdefgh FLAT"
        for _ in range(chance.randint(3, 9)):
            self._press(
                index,
                (
                    chance.choice(EDITS)
                    if chance.random() < 0.4
                    else "space"
                    if (sign := chance.choice(signs)) == " "
                    else sign
                ),
            )
        wanted = self.case.final.get(name)
        text = self.fields[index].text
        if (
            wanted is None
            and text.strip()
            and not (kind == "digits" and (not text.isdigit() or not int(text) or len(text) > 20))
        ):
            return
        self._press(
            index,
            *chance.choice(
                (("end", "ctrl+u"), ("home", "ctrl+k"), ("ctrl+e", *["backspace"] * len(text)))
            ),
        )
        for sign in wanted or "".join(chance.choice("123456789") for _ in range(3)):
            slip = chance.choice("12345")
            self._press(
                index,
                *((slip, "backspace") if chance.random() < 0.4 else ()),
                "space" if sign == " " else sign,
            )

    @property
    def told(self) -> dict[str, str]:
        """What stands in the fields in the end."""
        return {
            name: each.text for (name, *_), each in zip(self.case.slots, self.fields, strict=True)
        }

    @property
    def shown(self) -> dict[str, str]:
        """What the screen shows of the fields that are not empty; of a choice it shows
        every word.
        """
        lines = {
            name: each.text.rstrip()
            for (name, *_), each in zip(self.case.slots, self.fields, strict=True)
            if isinstance(each, Plain)
        }
        return {name: text for name, text in lines.items() if text}

    @property
    def request(self) -> dict[str, Any]:
        """What is asked for in the end, or a part of it."""
        return self.case.request(self.told)


class Hands(Terminal):
    """A console that refuses, and what it was asked."""

    @property
    def file(self) -> Path:
        return self.folder / "asked"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The requests, without their ids."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines]

    def open(self, case: Case) -> None:
        """Open a dialog and wait until it is armed."""
        for key in case.keys:
            self.send(code(key), 0.1)
        assert self.wait_for(f"─ {case.title}", 10), self.text
        time.sleep(0.4)

    def play(self, keys: list[str], spacing: float) -> None:
        """Type keys, so many seconds apart; all in one write where that is none."""
        if not spacing:
            self.send(b"".join(code(key) for key in keys), 0)
            return
        for key in keys:
            self.send(code(key), spacing)

    def enters(self, most: int = 6) -> list[dict[str, Any]]:
        """Press enter, as often as it takes, each time when it is armed; the requests since
        then.
        """
        before = len(self.asked)
        for _ in range(most):
            time.sleep(0.35)
            self.send(ENTER, 0.15)
            until = time.monotonic() + 0.6
            while time.monotonic() < until:
                if len(self.asked) > before:
                    return self.asked[before:]
                time.sleep(0.03)
        return []

    def leave(self) -> None:
        """Back to the main screen, the positions listening, all rows shown, the first one
        chosen.
        """
        for _ in range(8):
            self.send(ESCAPE, 0.3)
            if not re.search("esc (back|closes|leaves)", self.text):
                break
        self.send(ESCAPE, 0.25)
        self.send(b"1", 0.05)
        self.send(b"g", 0.15)


@contextmanager
def hands(
    folder: Path, *, rows: int = 0, columns: int = 120, height: int = 40, **env: str
) -> Iterator[Hands]:
    """A console on the sample, in a terminal."""
    terminal = Hands(
        folder,
        *PROGRAM,
        columns=columns,
        rows=height,
        env={"ASKED": str(folder / "asked"), "ROWS": str(rows), **env},
    )
    try:
        assert terminal.wait_for(f"P{rows - 1 if rows < 10 else 0:02}X/USD" if rows else "LOCAL"), (
            terminal.text
        )
        assert terminal.wait_for("▸ "), terminal.text
        time.sleep(0.5)
        yield terminal
    finally:
        terminal.close()


def check(terminal: Hands, name: str, seed: int, spacings: tuple[float | None, ...]) -> None:
    """Type one random sequence at each spacing: the fields show what the keys make, and the
    requests are as one.

    Without a spacing all is typed ahead: the keys that open the dialog leave in one write with
    those that are for its fields.
    """
    case = CASES[name]
    played = Played(case, seed)
    for spacing in spacings:
        how = "ahead" if spacing is None else f"{spacing * 1000:.0f} ms apart"
        where = f"{name}, seed {seed}, {how}: {' '.join(played.keys)}"
        if spacing is None:
            terminal.play([*case.keys, *played.keys], 0.0)
            assert terminal.wait_for(f"─ {case.title}", 10), terminal.text
        else:
            terminal.open(case)
            terminal.play(played.keys, spacing)
        for label, text in played.shown.items():
            line = label.ljust(10 if len(label) < 10 else 15) + text
            assert terminal.wait_for(line, 5), f"{where}: {label} is not {text!r}\n{terminal.text}"
        if case.behind:
            terminal.play(["enter"], 0.5)
            terminal.play(list(case.behind), 0.3)
        found = terminal.enters()
        assert len(found) == 1, f"{where}: {len(found)} requests\n{terminal.text}"
        wanted = played.request
        assert {key: found[0].get(key) for key in wanted} == wanted, where
        terminal.leave()
