"""Recorded prices are played as a person wants it: keys, and a few words of the command line."""

import asyncio

from engine.model.played import Replay, ReplayTold
from engine.model.view import View
from tui.console import Console
from tui.lines import Line

WORDS = {
    "play": "go on at the usual speed",
    "speed": "10: ten times as fast as it happened",
    "seek": "14:02: hurry on to a time, with every price, and freeze there",
    "next": "fill, or move 0.5%: hurry on to it, and freeze there",
    "mark": "TEXT: write the moment into the log",
}
"""Words of the command line that ask nothing of the desk."""
_asking: set[asyncio.Task[None]] = set()


def words_of(line: str) -> str:
    """What a line says of the recording; empty where it is no such line."""
    text = line.strip().lstrip(":").strip()
    return text if text.partition(" ")[0].lower() in WORDS else ""


def lines(words: str, view: View | None) -> list[Line]:
    """What such a line may say, and how the recording is played now."""
    word = words.partition(" ")[0].lower()
    now = "prices are no recorded ones" if view is None or not view.replay else view.replay
    return [((" now: ", "dim"), (now, "strong")), ((f" {word} ", "dim"), (WORDS[word], "plain"))]


def ask(console: Console, words: str) -> None:
    """Ask for it, and say what became of it."""
    link = console.link
    if link.read_only:
        console.say(f"read-only: {link.why}", "bad")
        return

    async def asked() -> None:
        try:
            told = await link.session.query(Replay(words))
        except Exception as error:  # of the answer, or of the line to it
            console.say(str(error), "bad")
            return
        if isinstance(told, ReplayTold) and told.text:
            console.say(told.text, "good")

    task = asyncio.get_running_loop().create_task(asked(), name=f"replay {words}")
    _asking.add(task)
    task.add_done_callback(_asking.discard)


def freeze(console: Console) -> None:
    """Let time stand still, or go on."""
    ask(console, "freeze" if console.link.view.replay.startswith("×") else "play")
