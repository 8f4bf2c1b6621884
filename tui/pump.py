"""The one frame pump: looks at the engine so many times a second and shows what is new. Nothing
that goes wrong in it ends the console.
"""

from typing import Any, Protocol

from textual.screen import Screen

from engine.model.view import View
from tui.link import Link
from tui.plain import plain
from tui.screen import STILL, MainScreen


class Pumped(Protocol):
    """The application as the pump sees it."""

    main: MainScreen
    link: Link | None

    def stopped(self) -> str:
        """Why the engine, another process, is not started again by itself; empty while it is."""
        ...

    @property
    def screen_stack(self) -> list[Screen[Any]]:
        """All screens, the one on top last."""
        ...


def trouble(view: View) -> str:
    """What the engine itself says is broken; empty when nothing is."""
    if view.journal_failing:
        return (
            f"the journal can't be written: {view.journal_failing}. Entries are blocked; exits work"
        )
    died = next(
        (alert for alert in view.alerts if alert.stands and alert.code == "TASK_DIED"), None
    )
    return f"{died.text}. {STILL}" if died is not None else ""


def gone(seconds: float) -> str:
    """What is said of an engine in another process that shows nothing; empty where it does."""
    if not seconds:
        return ""
    return (
        f"ENGINE GONE: what is shown is {seconds:.0f} s old; this console connects again by itself."
        " F9 goes past the engine, to the exchange itself"
    )


class Pump:
    """Turns frames."""

    def __init__(self, app: Pumped) -> None:
        self._app = app
        self._said = ""
        self.frames = 0

    def _gone(self, link: Link) -> str:
        main = self._app.main
        if link.gone_for and (why := self._app.stopped()):
            keys = f"«retry»: start it again  «quit»: leave  {main.key('flatten')}: flatten past it"
            return main.keys.spelled(f"ENGINE GONE: {why}   {keys}")
        return gone(link.gone_for)

    def frame(self) -> None:
        """One frame."""
        link = self._app.link
        if link is None:
            return
        self.frames += 1
        said = ""
        try:
            view = link.look()
            said = self._gone(link) or trouble(view)
            self._app.main.fade(faded=bool(link.gone_for))
            self._app.main.show(view)
            for screen in self._app.screen_stack[1:]:
                # here, because it is loaded only once something is opened
                from tui.flows.dialog import Dialog

                if isinstance(screen, Dialog):
                    screen.show(view)
        except Exception as error:
            said = f"engine stopped: {plain(str(error)) or type(error).__name__}. {STILL}"
        if said != self._said:
            self._said = said
            self._app.main.alarm(said)
