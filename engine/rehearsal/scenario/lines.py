"""`do = "buy btc 0.5 stop -1%"`: a step of a scenario in the words of the command line, read and
carried out as the console and `flatout do` do.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.carry import Carrying, Ended, drive
from engine.grammar.parser import flat, parse
from engine.grammar.vocabulary import Vocabulary
from engine.model.intent import AnyIntent, OpenBracket
from engine.model.templates import Templates
from engine.model.view import Answer, View
from engine.rehearsal.scenario.words import ScenarioError, text
from engine.runtime import Engine
from engine.runtime.heard import Heard
from engine.setup.filling import filled
from engine.setup.listening import Symbols

LOOK = SECOND // 10
"""Market time between two looks while a line waits."""


def check_line(value: object, where: str, templates: Templates) -> str:
    """The line, read once: which symbols there are is known when the market plays. Raises
    ScenarioError.
    """
    line = text(value, where)
    known = Vocabulary(any_symbol=True, templates=tuple(templates.by_name))
    parsed = parse(line, known)
    if parsed.line is None:
        assert parsed.wrong is not None
        span = parsed.wrong.span
        raise ScenarioError(f"{where} is {line!r}; at {span.start + 1}: {parsed.wrong.text}")
    for command in flat(parsed.line):
        waits = isinstance(command, t.Cancel) and command.what == "wait"
        if isinstance(command, t.Show) or waits:
            raise ScenarioError(
                f"{where} is {line!r}; a scenario has no screen, file or other line"
            )
    return line


class Lines:
    """The lines of one run; what one sets, the next ones know."""

    def __init__(self, templates: Templates, clock: Clock) -> None:
        self._templates = templates
        self._clock = clock
        self._variables: dict[str, t.Size | t.AnyPrice] = {}
        self._engine: Engine | None = None
        self._heard: Heard | None = None
        """The symbols of that engine."""

    def _around(self, view: View) -> Around:
        symbols = [feed.symbol for feed in view.feeds]
        held = list(dict.fromkeys(p.symbol for p in view.positions))
        only = next((few[0] for few in (held, symbols) if len(few) == 1), "")
        return Around(
            view=view,
            focus=only,
            variables=self._variables,
            filled=filled(self._templates, self._clock.now),
            templates=tuple(self._templates.by_name),
        )

    async def carry(
        self,
        line: str,
        key: str,
        label: str,
        engine: Engine,
        symbols: Symbols,
        ask: Callable[[AnyIntent], Awaitable[Answer]],
    ) -> str:
        """Carry a line out; why it did not come to its end, in words, and empty where it did. What
        it enters has this label; `symbols` are the market's.
        """
        look = engine.view
        if self._engine is not engine:
            self._engine, self._heard = engine, Heard(engine, symbols, lambda _: True)
        heard = self._heard
        parsed = parse(line, self._around(look()).vocabulary)
        if parsed.line is None:
            return parsed.wrong.text if parsed.wrong is not None else ""
        carrying = Carrying(parsed.line, key, self._around)

        async def view() -> View:
            return look()

        async def labelled(intent: AnyIntent) -> Answer:
            if isinstance(intent, OpenBracket):
                intent = replace(intent, label=label)
            return await ask(intent)

        async def perform(command: t.Performed) -> str:
            if isinstance(command, t.Watch) and heard is not None:
                return await (heard.add if command.do == "add" else heard.drop)(command.name)
            raise ValueError(f"a scenario has nothing to perform: {type(command).__name__}")

        async def pause() -> None:
            await self._clock.sleep(LOOK)

        ended: Ended = await drive(carrying, view, labelled, perform, pause)
        self._variables |= carrying.variables
        return "" if ended.outcome == "done" else ended.text
