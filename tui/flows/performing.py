"""What a line of the command line does that asks the desk for nothing: looks, files, help."""

from engine.grammar import tree as t
from engine.grammar.forms import FORMS
from tui.asking import without_screen
from tui.chart.window import INTERVALS, interval_name
from tui.console import Console
from tui.manual import PAGES


async def perform(command: t.Show | t.Run | t.Cancel, console: Console) -> str:
    """Do it and return what was done. Raises ValueError with why not."""
    if isinstance(command, t.Cancel):
        if not console.link.running.stop("cancelled with :cancel wait"):
            raise ValueError("no line waits")
        return "the wait is cancelled"
    if isinstance(command, t.Run):
        console.run(command.command)
        return ""
    word, words = command.word, command.words
    if (word == "export" and words) or word == "notify":
        return await without_screen(console.link.session.query, console.options.home, word, words)
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
    if word == "help" and len(words) == 1 and words[0] in FORMS:
        return f"{words[0]} {FORMS[words[0]]}"
    if word in ("export", "help") and not words:
        console.run(word)
        return ""
    raise ValueError(f"“{word}” is followed by {_EXPECTED[word]}")


_EXPECTED = {
    "chart": f"one of {', '.join(map(interval_name, INTERVALS))}",
    "layout": "a layout's name, or save and a new name",
    "theme": "nothing, or a theme's name",
    "symbol": "nothing yet: select a position or an order of it",
    "export": "nothing (the list that listens), or orders, fills, positions, alerts or equity",
    "help": f"nothing, the first word of a command, or a page: {', '.join(PAGES)}",
}
