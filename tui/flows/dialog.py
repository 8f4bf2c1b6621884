"""The dialog under every flow: armed only after it was painted, alive while the world moves, honest
about what is not known.
"""

import time
from collections.abc import Iterable
from math import inf

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widget import Widget

from engine.model.intent import AnyIntent
from engine.model.view import Answer, View
from engine.session import Query, Told
from tui.behind import Layer
from tui.console import Console
from tui.field import Field
from tui.flows.card import Sheet, refusal_text
from tui.flows.choice import Choice
from tui.flows.frame import LOW, Frame
from tui.flows.offers import Offers
from tui.lines import Line
from tui.link import new_id
from tui.plain import lines

ARMING = 0.25
"""Seconds after painting during which no key confirms: it was typed for something else."""
REPEATS = 0.25
"""Two enters that are nearer than so many seconds are one key that is held down, and that is one
press.
"""
HELD = 0.15
"""Seconds after a press in which a key that is held down has sent the next enter."""
ASKING = "asking the engine what it would do"
AGAIN = 0.05
"""Seconds until a dialog looks again whether the terminal has taken it."""
FAILED = frozenset(
    {"rejected", "amend_refused", "cancel_refused", "stop_refused", "ended_by_venue"}
)
"""Lines of the record that say that the venue did not do what was asked, whoever asked."""
GONE_AFTER = 1.5
"""Seconds that a confirmed outcome stays before the dialog closes itself."""
EARLY = "that enter came before this was on the screen: press it again"
FIELDS = {"tab": 1, "shift+tab": -1}
"""Keys that go to another field."""


class Dialog(Layer, ModalScreen[None]):
    """A window with a body, a line for the outcome and a line of keys."""

    AUTO_FOCUS = ""  # `first` has it before the next key is taken

    title_text = ""
    wide = False
    must_be_seen = True
    """Whether enter waits until the terminal has taken what the dialog shows."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.palette = console.palette
        self.intent_id = new_id()
        self.phase = "open"
        """open, sent (the outcome is awaited), unknown, done."""
        self._armed_at = inf
        self._sent_at = 0.0
        self._seq = 0
        self._entered_at, self._early = -inf, False  # early: it says that an enter was ignored
        self.first: Field | Choice | None = None
        """What listens to keys when the dialog opens."""
        self._subject = ""
        """The position or order that what was sent is about."""
        self.asked: AnyIntent | None = None
        """What was sent last."""
        # looked up when it is asked: while the account opens there is no link yet
        self.offers = Offers(self._ask, self._offered)
        self._waits = False
        """Whether an enter waits for the engine to say what it would do."""
        self.outcome = Sheet(console.palette, id="outcome")
        self.hint = Sheet(console.palette, id="hint")

    def compose(self) -> ComposeResult:
        """The frame around what the flow shows."""
        self.frame = Frame(self.title_text, wide=self.wide)
        with self.frame:
            yield from self.body()
            yield self.outcome
            yield self.hint

    def body(self) -> Iterable[Widget]:
        """What the flow shows."""
        return ()

    def on_resize(self) -> None:
        """Where there is little room, none is spent on air: the line of keys must stay in sight."""
        self.set_class(self.app.size.height < 30, "-tight")
        self.set_class(self.app.size.height < LOW and not self.has_class("low"), "-tiny")

    def on_mount(self) -> None:
        """Begin to live: five times a second, and armed once seen."""
        self.on_resize()  # before the first painting
        for field in (*self.query(Field), *self.query(Choice)):
            field.told = self._was_edited
        self.set_focus(self.first)
        self.set_interval(0.2, self._beat)
        self._beat()
        self.arm()

    def on_screen_resume(self) -> None:
        """What stood over it is gone: a key typed there was not typed for this."""
        self.arm()

    @property
    def room(self) -> int:
        """Cells in a line of the dialog."""
        return max(self.outcome.size.width, 20)

    # arming

    def arm(self) -> None:
        """From a quarter of a second after the next painting on, enter confirms."""
        self._armed_at = inf
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        # painted, and still on its way to a terminal that does not read
        if self.must_be_seen and not self.console.is_seen():
            self.set_timer(AGAIN, self._painted)
            return
        self._armed_at = time.monotonic() + ARMING
        self.set_timer(ARMING, self.show_hint)

    def armed(self, at: float) -> bool:
        """Whether a key typed at that moment (monotonic seconds) was typed for what the dialog
        shows.
        """
        return at >= self._armed_at

    # keys

    def take_key(self, event: events.Key) -> bool:
        """The field that listens comes first. Enter goes on, esc leaves and destroys nothing; the
        rest is the flow's.
        """
        if event.key != "enter":
            self._entered_at = -inf  # nobody holds a key down and presses another
        focused = self.focused
        if isinstance(focused, Field | Choice) and focused.take_key(event):
            return True
        if event.key == "enter":
            self._enter(event.time)
        elif event.key == "escape":
            self.back()
        elif event.key in FIELDS:
            self._next_field(FIELDS[event.key])
        else:
            return self.pressed(event.key) or self.frame.turn(event.key)
        return True

    def take_paste(self, text: str) -> None:
        """Pasted text goes to the field that listens, whole, or nowhere."""
        if isinstance(self.focused, Field) and (why := self.focused.take_paste(text)):
            self.report(f"nothing was pasted: {why}", "warn")

    def _enter(self, at: float) -> None:
        held, self._entered_at = at - self._entered_at < REPEATS, at
        if held and self.phase == "open":
            self.held()
            return
        if self.phase == "done":
            self.dismiss_once()
        elif self.phase == "open" and self.armed(at):
            self._say_early(False)
            self._confirm()
        elif self.phase == "open" and not self.outcome.shown:
            self._say_early(True)

    def _say_early(self, early: bool) -> None:
        """Say that an enter was ignored, or no longer."""
        if early != self._early:
            self._early = early
            self.report(EARLY if early else "", "warn")

    def _was_edited(self) -> None:
        self._waits = False  # that enter was for what stood there
        self.edited()

    def edited(self) -> None:
        """A field was changed. Called before the next key is taken."""

    def _next_field(self, by: int) -> None:
        if by > 0 and self.pressed("tab"):
            return
        if by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def pressed(self, key: str) -> bool:
        """Another key; True if it meant something."""
        return False

    def _confirm(self) -> None:
        try:
            self.confirm()
        except Exception as error:
            self.report(f"can't say what it would do: {error}", "bad")

    def confirm(self) -> None:
        """Enter, once armed."""

    def held(self) -> None:
        """Enter is being held down: what it asked for when it was pressed was asked for."""

    def back(self) -> None:
        """Esc: leave. What was sent goes on."""
        self.dismiss_once()

    def dismiss_once(self) -> None:
        """Close, unless it is closed or another window stands over it."""
        if self.is_attached and self.app.screen is self:
            self.dismiss(None)

    def close_soon(self) -> None:
        """Close once the outcome was read."""
        self.set_timer(GONE_AFTER, self._close_itself)

    def renew(self) -> None:
        """What is asked from now on is another wish."""
        self.intent_id = new_id()

    def _close_itself(self) -> None:
        """Close without a key. What was typed until now was meant for this dialog, not for what
        stands behind it.
        """
        if self.is_attached and self.app.screen is self:
            self.console.forget_keys()
            self.dismiss(None)

    # living

    def show(self, view: View) -> None:
        """A frame went by: hear what is said about what was sent."""
        if self.phase not in ("sent", "unknown"):
            return
        for notice in view.notices:
            if notice.seq <= self._seq:
                continue
            if notice.intent == self.intent_id:
                self._seq = notice.seq
                self._heard(self.console.keys.spelled(notice.text), notice.tone)
            elif (
                notice.kind in FAILED
                and self._subject
                and self._subject in (notice.subject, notice.position)
            ):
                self._seq = notice.seq
                self._heard(self.console.keys.spelled(notice.text), "bad")
        doubt = self.doubt(view)
        if doubt and self.phase == "sent":
            self.phase = "unknown"
            self.report(f"UNKNOWN, asking the venue: {doubt}", "warn")
        elif self.phase in ("sent", "unknown") and self.settled(view):
            self._heard("", "good")

    def _heard(self, text: str, tone: str) -> None:
        spent = int((time.monotonic() - self._sent_at) * 1000)
        if tone == "good":
            self.phase = "done"
            took = "" if " ms" in text else f" in {spent} ms"
            self.report(f"sent → {text or 'confirmed'}{took}", "good")
            self.close_soon()
        elif tone == "bad":
            self.phase = "done"
            self.report(f"sent → rejected: {text}", "bad")
        else:
            self.report(f"sent → {text}", "busy")

    def doubt(self, view: View) -> str:
        """Evidence about an outcome that is not known; empty when there is no doubt."""
        return ""

    def settled(self, view: View) -> bool:
        """Whether the view shows what was asked for."""
        return False

    def wait_for_offer(self) -> None:
        """Enter, before the engine has said what it would do: it confirms once that is shown."""
        self._waits = True
        self.report(ASKING, "busy")

    def send_shown(self, intent: AnyIntent) -> None:
        """Ask for it once its card has been shown. A card that can't be made holds up nothing."""
        if self.offers.ready(intent):
            self.send(intent)
        else:
            self.wait_for_offer()

    def _offered(self) -> None:
        """The engine has said what it would do."""
        if not self.is_attached or self.phase != "open":
            return
        self._show_body()
        if self._waits:
            self._waits = False
            self.report("", "plain")
            self._confirm()

    def _beat(self) -> None:
        if self._waits or self.phase != "open" or not self.console.is_still():
            self.offers.renew()
            self._show_body()

    def _show_body(self) -> None:
        try:
            self.refresh_body()
        except Exception as error:
            self.report(f"can't say what it would do: {error}", "bad")
        self.show_hint()

    def refresh_body(self) -> None:
        """Five times a second: what it would do now."""

    def show_hint(self) -> None:
        """The line of keys."""
        self.hint.put([(*self.keys_line(), *self.frame.more())])

    def keys_line(self) -> Line:
        """What the keys do now."""
        if self.phase == "done":
            return (("enter", "key"), (" or ", "dim"), ("esc", "key"), (" closes", "dim"))
        if self.phase != "open":
            return (("esc", "key"), (" leaves; what was sent goes on", "dim"))
        tone = "key" if self.armed(time.monotonic()) else "faint"
        return (
            ("enter", tone),
            (f" {self.enter_words()}   ", "plain" if tone == "key" else "faint"),
            ("esc", "key"),
            (" back", "dim"),
        )

    def enter_words(self) -> str:
        """What enter does."""
        return "confirms"

    # asking

    async def _ask(self, query: Query) -> Told:
        return await self.console.link.session.query(query)

    def send(self, intent: AnyIntent) -> None:
        """Ask for it, once, and show what becomes of it."""
        if self.phase != "open":
            return
        self.phase, self.asked = "sent", intent
        self._sent_at = time.monotonic()
        self._seq = max((notice.seq for notice in self.console.link.view.notices), default=0)
        self.report("sent …", "busy")
        self.show_hint()
        self.console.link.send(intent, self._told)

    def _told(self, answer: Answer | Exception) -> None:
        if isinstance(answer, Exception):
            self.phase = "unknown"
            self.console.say(f"unknown outcome: {answer}", "bad")
            self.report(
                f"UNKNOWN: the engine did not answer ({answer}); what was asked may have happened",
                "warn",
            )
            return
        if answer.refusals:
            self.phase = "open"
            self.renew()
            words = "; ".join(refusal_text(refusal) for refusal in answer.refusals)
            self.report(f"refused: {words}", "bad")
            self.refused()
            return
        self._subject = answer.created
        if answer.text and self.phase == "sent":
            self.report(f"sent → {answer.text}", "busy")
        self.taken(answer)

    def taken(self, answer: Answer) -> None:
        """The desk took it; outcomes follow as notices."""

    def refused(self) -> None:
        """The desk declined; the flow goes back to where it can be changed."""

    def report(self, text: str, tone: str) -> None:
        """Say it in the dialog."""
        if not self.is_attached:
            return
        sign = {"good": "✓ ", "bad": "✗ ", "warn": "? ", "busy": "… "}.get(tone, "")
        self.outcome.put(
            [((line, tone),) for line in lines(sign + text, self.room)] if text else []
        )
        if text:
            self.frame.to_end()
