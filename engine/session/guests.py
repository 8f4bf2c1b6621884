"""What attached consoles are to the account: an alert of one of them is raised and ends with it,
and who begins to trade is told to all.
"""

from engine.model.alert import Alert
from engine.model.codes import AlertCode
from engine.session import messages as m
from engine.session.server import ControlServer
from engine.session.starting import Opening

NAME, TEXT = 80, 200
"""Longest name of a console, and longest text of its alert."""
OF_CONSOLES = frozenset({AlertCode.TERMINAL_STALLED, AlertCode.SCREEN_FAILED})
"""Alerts that a console may raise."""
KNOWN = 1_000
"""Names of consoles that are remembered."""
BEFORE = "console "
"""How the subject of an attached console's alert begins: another one's is another alert."""


class Guests:
    """Consoles in other processes, by the names that they gave."""

    def __init__(self, control: ControlServer) -> None:
        self._control = control
        self._complaint = ""
        self._traded: set[str] = set()
        """Names that have traded: a line that was lost and is back is no news."""

    def came(self, name: str, here: set[str], *, trades: bool, seen: bool) -> None:
        """A console has come; `here` are the names of all that are attached. It is the cure of what
        those that are gone could not cure. One that trades is told to who was there (`seen`).
        """
        if trades and seen and name not in self._traded:
            self.takes(name)
        if trades and len(self._traded) < KNOWN:
            self._traded.add(name)
        for alert in self._standing():
            gone = alert.subject.removeprefix(BEFORE) not in map(_short, here)
            if gone or alert.code == AlertCode.SCREEN_FAILED:
                self._raise(alert.code, alert.subject, "")

    def left(self, name: str, here: set[str]) -> None:
        """A line has ended: its terminal is nobody's any more, unless it came again meanwhile."""
        if name in here:
            return
        for alert in self._standing():
            if alert.subject == _subject(name) and alert.code == AlertCode.TERMINAL_STALLED:
                self._raise(alert.code, alert.subject, "")

    def tells(self, name: str, code: str, text: str) -> m.Done:
        """A console raises an alert of its own, or cures it."""
        if code not in OF_CONSOLES:
            return m.Done(ok=False, text=f"no console raises {code[:40]}")
        self._raise(code, _subject(name), text[:TEXT])
        return m.Done(ok=True)

    def takes(self, name: str) -> m.Done:
        """A console trades from now on."""
        self._traded.add(name)
        self._control.say("taken", f"{_subject(name)} trades this account from now on")
        return m.Done(ok=True, text="this console trades from now on; the others were told")

    def complain(self, text: str) -> None:
        """Say that something for consoles failed; what fails at each view is said once."""
        if text != self._complaint:
            self._complaint = text
            self._control.say("trouble", text)

    def _standing(self) -> list[Alert]:
        session = self._control.session
        if isinstance(session, Opening):
            return []
        return [
            alert
            for alert in session.view().alerts
            if alert.stands and alert.code in OF_CONSOLES and alert.subject.startswith(BEFORE)
        ]

    def _raise(self, code: str, subject: str, text: str) -> None:
        session = self._control.session
        if not isinstance(session, Opening):
            session.trouble(code, subject, text)


def _short(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name[:NAME]) or "without a name"


def _subject(name: str) -> str:
    return BEFORE + _short(name)
