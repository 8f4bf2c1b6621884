"""A line to the engine of an account for one command: that of another process, or its own."""

from typing import Protocol

from engine.account.home import Home
from engine.model.intent import AnyIntent
from engine.model.view import Answer, View
from engine.session import Query, Session, Told
from engine.session import messages as m
from engine.session.client import ControlError, Line
from engine.setup.sections import Settings
from tui.cli.common import Common


class Door(Protocol):
    """A line to the engine, always fresh."""

    async def view(self) -> View:
        """Everything, now."""
        ...

    async def ask(self, intent: AnyIntent) -> Answer:
        """Ask for it."""
        ...

    async def query(self, query: Query) -> Told:
        """What no view holds."""
        ...

    async def close(self) -> None:
        """Leave; an engine that was opened for this closes in order."""
        ...


class RemoteDoor:
    """The engine of another process on this machine."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def view(self) -> View:
        return await self._line.put(m.Look(), View)

    async def ask(self, intent: AnyIntent) -> Answer:
        return await self._line.put(m.Ask(intent), Answer)

    async def query(self, query: Query) -> Told:
        return await self._line.put(query, m.ANSWERS[type(query)])

    async def close(self) -> None:
        await self._line.close()


class OwnDoor:
    """An engine of this process, for as long as the lines take."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def view(self) -> View:
        return self._session.view()

    async def ask(self, intent: AnyIntent) -> Answer:
        return await self._session.ask(intent)

    async def query(self, query: Query) -> Told:
        return await self._session.query(query)

    async def close(self) -> None:
        await self._session.close()


async def door_to(common: Common, settings: Settings, home: Home) -> Door:
    """The engine that holds the account, or one of our own."""
    try:
        return RemoteDoor(await Line.open(home.control))
    except ControlError:
        from engine.session.opening import open_session

        session = await open_session(settings, common.home)
        if session.read_only:
            await session.close()
            raise
        return OwnDoor(session)
