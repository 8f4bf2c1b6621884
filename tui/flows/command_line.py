"""`:` the command line: read while it is typed, with the card of what it would do under it.

What closes, cancels or tightens goes with one enter; what opens, reverses or widens, and a line
with any such part, with a second one. A line that waits stays on the screen: esc ends it, enter
leaves it running.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from textual.timer import Timer
from textual.widget import Widget

from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.card import Card, card
from engine.grammar.carry import Carrying, Ended, Outcome
from engine.grammar.complete import completed, offers
from engine.grammar.forms import FORMS
from engine.grammar.parser import LONGEST, parse, read_macros
from engine.grammar.resolve import Confirm, Step, confirmation, plan
from engine.grammar.vocabulary import Vocabulary
from engine.grammar.wrong import Wrong
from engine.model.view import View
from tui.commands import BY_ID
from tui.console import Console, Context
from tui.flows import replaying
from tui.flows.card import Sheet
from tui.flows.choice import Entry
from tui.flows.dialog import HELD, REPEATS, Dialog
from tui.flows.finder import Known
from tui.flows.manual import Manual
from tui.flows.performing import perform
from tui.flows.said_against import around_of, beyond
from tui.flows.spoken import Spoken
from tui.flows.spoken_card import card_lines, first_words, fitted, next_words, pointed
from tui.history import History
from tui.lines import Line
from tui.manual import PAGES

SHEETS = {"flatten", "unhalt"}
"""Words of the desk that open a sheet where something is typed, if they stand alone."""
SCROLLS = {"pagedown": 6, "pageup": -6}
"""Lines of the card by key."""
TIGHT, LOOSE = 7, 15
"""Rows of the screen that the card can't have: frame, line, outcome and keys."""


class CommandLine(Dialog):
    """`:`."""

    title_text = "Command"
    wide = True

    def __init__(self, console: Console, known: Sequence[Known], text: str = "") -> None:
        """`text` stands in it already: that of a macro that was called by its key."""
        super().__init__(console)
        self._known = [each for each in known if each[0] in BY_ID]
        self._given = text
        self.line = Spoken(
            console.palette, hint="close, buy 0.5 stop -1%, cancel #14 …", most=LONGEST, id="line"
        )
        self.line.prefill(text, selected=False)
        self.first = self.line
        self.card = Sheet(console.palette, id="card")
        self.meant = False
        """Whether the next enter sends it."""
        self._sending: Timer | None = None
        """Until it is clear that the second enter was a press of its own."""
        self._here: Context | None = None
        """What was selected when it was opened: what is selected while a line waits is not what it
        means.
        """
        self._carrying: Carrying | None = None
        self._history = History(console.options.home)
        self._past: list[str] | None = None
        """What was said before and what was being typed; None until an arrow asked."""
        self._back = 0
        self._offset = 0
        """Lines of the card that stand above what is shown."""
        self._macros, _ = read_macros(console.options.commands, tuple(BY_ID))
        self._said: t.Line | None = None
        self._wrong: Wrong | None = None
        self._steps: tuple[Step, ...] = ()
        self._cards: tuple[Card, ...] = ()

    def body(self) -> Iterable[Widget]:
        """The line, and the card."""
        yield Entry(self.palette, ":", self.line)
        yield self.card

    # what it is said against

    def _around(self, view: View) -> Around:
        if self._here is None or self._here.view is None:
            self._here = self.console.context()
        text = self.line.value
        return around_of(self.console, self._here, view, self._known, self._macros, text)

    def _vocabulary(self) -> Vocabulary:
        """What may be named; only the console's own commands before the engine is open."""
        if self.console.context().view is None:
            return Vocabulary(commands=tuple(k[0] for k in self._known))
        return self._around(self.console.link.view).vocabulary

    # reading

    def edited(self) -> None:
        """Another line is another thing to mean."""
        self.meant, self._offset = False, 0
        if self.phase == "open":
            self.report("", "plain")
        self.refresh_body()
        self.show_hint()

    def _read(self) -> None:
        """Parse what is typed, and tell what it would do now."""
        self._said, self._wrong, self._steps, self._cards = None, None, (), ()
        text = self.line.value
        if not text.strip() or replaying.words_of(text):
            self.line.mark(None, None)
            return
        parsed = parse(text, self._vocabulary())
        self._said, self._wrong = parsed.line, parsed.wrong
        understood = parsed.understood
        if parsed.line is not None and self.console.context().view is not None:
            found = plan(parsed.line, self._around(self.console.link.view), self.intent_id)
            if isinstance(found, Wrong):
                self._wrong, understood = found, found.span.start
            else:
                self._steps = found
                self._cards = self._cards_of(found)
        span = self._wrong.span if self._wrong is not None else None
        self.line.mark(understood, (span.start, span.end) if span is not None else None)

    def _cards_of(self, steps: tuple[Step, ...]) -> tuple[Card, ...]:
        """A card for each part; none until the engine has said what all of them would do."""
        told = self.offers.all([one for step in steps for one in step.intents])
        if told is None:
            return ()
        rest = iter(told)
        return tuple(card(step, [next(rest) for _ in step.intents]) for step in steps)

    def refresh_body(self) -> None:
        """What the line would do, or what is wrong with it, or what may stand there."""
        if self.phase == "sent" and self._carrying is not None:
            self._show_waiting(self._carrying)
        if self.phase != "open":
            return
        self._read()
        text = self.line.value.strip()
        if words := replaying.words_of(text):
            self.card.put(replaying.lines(words, self.console.context().view))
            return
        found: list[Line] = []
        if self.meant:
            why = f": {self._too_large()}" if self._too_large() else ""
            found.append(((f" enter again sends all of it{why} ", "notice"),))
        if self._wrong is not None and text:
            found += pointed(self._wrong, self.line.first_shown, self.room)
        found += card_lines(self._cards, self.room)
        if not text or (" " not in text and ";" not in text and self._asks_nothing()):
            typed = text.lstrip(":").casefold()
            found += [((" ", "dim"),), *first_words(typed, self._known, self._macros, self.room)]
        else:
            found += next_words(offers(self.line.value, self._vocabulary()), self.room)
        air = TIGHT if self.has_class("-tight") else LOOSE
        self.card.put(fitted(found, self.app.size.height - air, self._offset))

    def _asks_nothing(self) -> bool:
        """Whether it is no sentence of the language (yet), or a command of the console alone."""
        said = self._said
        return said is None or self._wrong is not None or isinstance(said.commands[0], t.Run)

    # keys

    def pressed(self, key: str) -> bool:
        """Tab completes, arrows go through what was said before, pages scroll the card."""
        if self.phase != "open":
            return key == "tab"
        if key == "tab":
            self.line.value = completed(self.line.value, self._vocabulary())
        elif key in ("up", "down"):
            self._recall(1 if key == "up" else -1)
        elif key in SCROLLS:
            self._offset = max(self._offset + SCROLLS[key], 0)
            self.refresh_body()
        else:
            return False
        return True

    def _recall(self, by: int) -> None:
        if self._past is None:
            self._past, self._back = [*self._history.lines(), self.line.value], 0
        back = self._back + by
        if 0 <= back < len(self._past):
            self._back = back
            self.line.value = self._past[-1 - back]

    def armed(self, at: float) -> bool:
        """As soon as a word stands in it: it was typed here, in order. The second enter, and that
        of a line that a key has written, is armed once the card has been seen.
        """
        if self.meant or self.line.value == self._given:
            return super().armed(at)
        return bool(self.line.value.strip()) or super().armed(at)

    def confirm(self) -> None:
        """Do it, or show that it is meant."""
        if words := replaying.words_of(self.line.value):
            self._history.add(self.line.value)
            self.dismiss_once()
            replaying.ask(self.console, words)
            return
        self._read()
        self.refresh_body()
        if self._said is None or self._wrong is not None:
            self._say_wrong()
            return
        if self._opens(self._said):
            return
        if self._steps and not self._cards:
            self.wait_for_offer()
            return
        told = self._cards[0].previews if self._cards else ()
        refusals = [refusal.text for preview in told for refusal in preview.refusals]
        # of several, such as "close all", the others go on
        if refusals and all(preview.refusals for preview in told):
            self.meant = False
            self.report("not sent: " + "; ".join(refusals), "bad")
        elif (why := self._forbidden()) is not None:
            self.report(why, "bad")
        elif not self._needs_more():
            self._carry(self._said)
        elif not self.meant:
            self.meant, self._offset = True, 0
            self.refresh_body()
            self.arm()
            self.show_hint()
        elif self._sending is None:
            self._sending = self.set_timer(HELD, self._send)

    def _say_wrong(self) -> None:
        typed = self.line.value.strip().lstrip(":").casefold()
        alike = [k[0] for k in self._known if typed and k[0].startswith(typed)]
        alike += [word for word in FORMS if typed and word.startswith(typed) and word not in alike]
        if len(alike) > 1 and " " not in typed:
            self.report(f"which one: {', '.join(alike[:6])}?", "bad")

    def _opens(self, line: t.Line) -> bool:
        """Whether it is one command of the console, which is run in place of this dialog."""
        if len(line.commands) != 1:
            return False
        command = line.commands[0]
        name = ""
        if isinstance(command, t.Show) and command.word == "help" and _is_page(command.words):
            self._remember(line)
            self.dismiss_once()
            self.console.open(Manual(self.console, *command.words))
            return True
        if isinstance(command, t.Run):
            name = command.command
        elif isinstance(command, t.Desk) and command.word in SHEETS:
            name = command.word
        if name:
            self._remember(line)
            self.dismiss_once()
            self.console.run(name)
        return bool(name)

    def _forbidden(self) -> str | None:
        """Why nothing may be asked here; None where it may."""
        here = self.console.context()
        asks = any(step.intents or step.waits or step.coming for step in self._steps)
        if here.view is None:
            return "the engine is still starting"
        return f"read-only: {here.read_only}" if asks and here.read_only else None

    def _needs_more(self) -> bool:
        """Whether it takes a second enter. A `live NAME` that stands alone was typed in full."""
        needed = confirmation(self._steps)
        alone = len(self._steps) == 1 and isinstance(self._steps[0].command, t.Desk)
        if needed >= Confirm.CARD:
            return not (alone and needed is Confirm.TYPED)
        return bool(self._too_large())

    def _too_large(self) -> str:
        """Why an entry with `!` is too large to go without its card; empty where none is."""
        offers = [
            offer
            for step, card in zip(self._steps, self._cards, strict=False)
            if isinstance(step.command, t.Enter) and step.command.at_once
            for offer in card.previews
        ]
        return next(filter(None, (beyond(self.console, offer) for offer in offers)), "")

    def _send(self) -> None:
        """Nothing was held down, and nothing was changed meanwhile."""
        self._sending = None
        if self.meant and self._said is not None:
            self.meant = False
            self._carry(self._said)

    def held(self) -> None:
        """A key that is held down confirms nothing that it has not shown."""
        if not self.meant:
            return
        if self._sending is not None:
            self._sending.stop()
            self._sending, self.meant = None, False
            self.refresh_body()
            self.show_hint()
        self.report("enter was held down, nothing was sent: press it again", "warn")

    def back(self) -> None:
        """Esc ends a wait; else it leaves, and what was sent goes on."""
        if self._carrying is not None and self._carrying.waiting:
            self._carrying.stop("ended with esc")
        else:
            super().back()

    # carrying out

    def _remember(self, line: t.Line) -> None:
        if not any(isinstance(c, t.Desk) and c.word == "live" for c in line.commands):
            self._history.add(self.line.value)

    def _carry(self, line: t.Line) -> None:
        self._remember(line)
        self.phase = "sent"
        self.report("sent …", "busy")
        self._carrying = Carrying(line, self.intent_id, self._around)
        self.console.link.running.start(
            self._carrying, partial(perform, console=self.console), self._over
        )
        self.show_hint()

    def _show_waiting(self, carrying: Carrying) -> None:
        if carrying.waiting:
            self.report(carrying.told(self.console.link.view), "busy")

    def show(self, view: View) -> None:
        """The line itself tells what becomes of it."""

    def _over(self, ended: Ended) -> None:
        """It has ended, perhaps after this dialog was left."""
        good = ended.outcome is Outcome.DONE
        tone = "good" if good else "warn" if ended.outcome is Outcome.UNKNOWN else "bad"
        self.console.say(ended.text, tone)
        if not self.is_attached:
            return
        # a line of which a part was done is not to be sent again by one more enter
        began = self._carrying is not None and bool(self._carrying.said)
        self.phase = "done" if good or began or ended.outcome is Outcome.UNKNOWN else "open"
        self._carrying = None
        word = "" if good else f"{ended.outcome}: "
        self.report(word + ended.text, tone)
        if good:
            self._close_itself()  # the last line says it; the next line may be typed at once
        else:
            self.renew()
            self.show_hint()

    def _enter(self, at: float) -> None:
        """While it waits, enter leaves it running; a key that is held down does not."""
        held = at - self._entered_at < REPEATS
        if held and self.phase == "sent":
            self._entered_at = at
        elif self.phase == "sent" and self._carrying is not None and self._carrying.waiting:
            told = self._carrying.told(self.console.link.view)
            self.console.say(f"{told}; it goes on, :cancel wait ends it", "busy")
            self.dismiss_once()
        else:
            super()._enter(at)

    def enter_words(self) -> str:
        """What enter does."""
        if self.meant:
            return "SENDS it"
        return "reviews it" if self._steps and self._needs_more() else "does it   tab completes"

    def keys_line(self) -> Line:
        """What the keys do now."""
        if self.phase == "sent" and self._carrying is not None and self._carrying.waiting:
            return (
                ("enter", "key"),
                (" leaves it running   ", "plain"),
                ("esc", "key"),
                (" ends it", "dim"),
            )
        return super().keys_line()


def _is_page(words: tuple[str, ...]) -> bool:
    """Whether `help` is followed by nothing, or by the name of a page of the manual."""
    return not words or (len(words) == 1 and words[0] in PAGES)
