"""What the command line is said against: the screen, the ladder, the settings, and the view."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from engine.grammar.around import Around
from engine.grammar.forms import FORMS
from engine.grammar.vocabulary import Macro, shorts
from engine.model.view import Preview, View
from engine.session.messages import Depth, DepthTold
from tui.chart.window import INTERVALS, interval_name
from tui.console import Console, Context
from tui.exporting import TABLES
from tui.flows.finder import Known
from tui.ladder.arming import against, too_large
from tui.ladder.face import Face
from tui.manual import PAGES


def around_of(
    console: Console,
    here: Context,
    view: View,
    known: Sequence[Known],
    macros: Mapping[str, Macro],
    text: str,
) -> Around:
    """All of it. `here` is where the person stood when the line was opened, `text` what it says."""
    options = console.options
    face = ladder_of(console)
    ladder = face.ladder
    return Around(
        view=view,
        focus=here.symbol,
        chosen=here.position.id if here.position is not None else "",
        last=_last(console, view, here.symbol, text),
        cursor={} if here.cursor is None else {here.symbol: here.cursor},
        armed=ladder.symbol if ladder.arming.armed and not against(face.situation()) else "",
        variables=console.link.running.variables,
        presets=options.presets,
        filled=options.filled,
        templates=tuple(options.templates.by_name),
        macros=macros,
        commands=tuple(k[0] for k in known),
        words=words_of(console),
    )


def ladder_of(console: Console) -> Face:
    """The ladder of this console, whether it is shown or not."""
    return cast("Face", console.pane("ladder"))


def beyond(console: Console, offer: Preview) -> str:
    """Why an entry with `!` needs its second enter all the same, as a ladder's order would."""
    ladder = ladder_of(console).ladder
    return too_large(offer.notional, offer.size, ladder.rules.cap, ladder.usual())


def words_of(console: Console) -> dict[str, tuple[str, ...]]:
    """What may stand behind the words of the screen."""
    return {
        "chart": tuple(map(interval_name, INTERVALS)),
        "layout": (*console.arrangements.layouts, "save"),
        "theme": tuple(console.themes()),
        "export": tuple(TABLES),
        "notify": ("test",),
        "help": (*FORMS, *PAGES),
    }


def _last(console: Console, view: View, focus: str, text: str) -> dict[str, Decimal]:
    """The price of the last trade of each symbol that a line with `last` in it may mean."""
    said = text.casefold()
    if "last" not in said:
        return {}
    found = {}
    for feed in view.feeds:
        named = (feed.symbol.casefold(), *shorts(feed.symbol))
        if feed.symbol != focus and not any(name in said for name in named):
            continue
        told = console.link.latest.of(Depth(feed.symbol, tape=1), DepthTold)
        if told is not None and told.tape:
            found[feed.symbol] = told.tape[-1].price
    return found
