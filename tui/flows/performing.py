"""What a line of the command line does that asks the desk for nothing: looks, files, help."""

from engine.grammar import tree as t
from engine.grammar.forms import FORMS
from engine.grammar.vocabulary import Vocabulary
from tui.asking import hear, without_screen
from tui.chart.window import INTERVALS, interval_name
from tui.console import Console
from tui.exporting import Progress
from tui.manual import PAGES


async def perform(command: t.Performed, console: Console, progress: Progress) -> str:
    """Do it and return what was done; `progress` hears how far it is. Raises ValueError with why
    not.
    """
    if isinstance(command, t.Watch):
        if console.link.read_only:
            raise ValueError(f"read-only: {console.link.why}")
        return (await hear(console.link.session.query, command))[0]
    if isinstance(command, t.Show):
        return await _shown(command, console, progress)
    if isinstance(command, t.Run):
        console.run(command.command)
        return ""
    if not console.link.running.stop("cancelled with :cancel wait"):
        raise ValueError("no line waits")
    return "the wait is cancelled"


async def _shown(command: t.Show, console: Console, progress: Progress) -> str:
    word, words = command.word, command.words
    if (word == "export" and words) or word == "notify":
        query, home = console.link.session.query, console.options.home
        return await without_screen(query, home, word, words, progress)
    if word == "theme" and len(words) <= 1:
        return f"theme {console.next_theme(*words)}"
    if word == "chart" and len(words) == 1 and words[0] in map(interval_name, INTERVALS):
        console.chart_do(words[0])
        return f"chart {words[0]}"
    if word == "layout" and len(words) == 1:
        return f"layout {console.arrangements.use(words[0])}"
    if word == "layout" and len(words) == 2 and words[0] == "save":
        try:
            return console.arrangements.save(words[1])
        except OSError as error:
            raise ValueError(f"the layout could not be kept: {error}") from error
    if word == "symbol" and len(words) == 1:
        return _focus_on(words[0], console)
    if word == "help" and len(words) == 1 and words[0] in FORMS:
        return f"{words[0]} {FORMS[words[0]]}"
    if word in ("export", "help") and not words:
        console.run(word)
        return ""
    raise ValueError(f"“{word}” is followed by {_EXPECTED[word]}")


def _focus_on(name: str, console: Console) -> str:
    """Make a symbol the focus, by a name that the command line takes."""
    view = console.link.view
    symbols = tuple(feed.symbol for feed in view.feeds)
    known = Vocabulary(symbols=symbols, currency=view.account.currency)
    found = known.find(name)
    if len(found) != 1:
        several = " or ".join(found)
        what = f"“{name}” may be {several}: write it out" if found else f"unknown symbol “{name}”"
        raise ValueError(what if found else f"{what}; known: {', '.join(known.named()) or 'none'}")
    console.focus_on(found[0])
    return f"focus: {found[0]}"


_EXPECTED = {
    "chart": f"one of {', '.join(map(interval_name, INTERVALS))}",
    "layout": "a layout's name, or save and a new name",
    "theme": "nothing, or a theme's name",
    "symbol": "the name of one",
    "export": "nothing (the list that listens), or orders, fills, positions, alerts or equity",
    "help": f"nothing, the first word of a command, or a page: {', '.join(PAGES)}",
}
