"""From text to a tree, or to one pointed error. Nothing here raises, whatever the text is."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from engine.grammar import macros
from engine.grammar import tree as t
from engine.grammar.commands import COMMANDS
from engine.grammar.reader import Chunk, Reader
from engine.grammar.vocabulary import Macro, Vocabulary, near
from engine.grammar.wrong import Span, Wrong, WrongError, wrong

LONGEST = 2_000
"""Characters of a line."""
MOST_COMMANDS = 50
"""Commands of a line, those of its macros counted."""


class Parsed(Struct, frozen=True):
    """What a line says, or why it says nothing; exactly one of the two is set."""

    line: t.Line | None
    wrong: Wrong | None = None
    offers: tuple[str, ...] = ()
    """What may come next at the end of the text, in the order of the grammar."""

    @property
    def understood(self) -> int | None:
        """How many characters are understood; all of them where None."""
        return None if self.wrong is None else self.wrong.span.start


def parse(text: str, vocabulary: Vocabulary) -> Parsed:
    """Read a line."""
    reader = Reader(text, vocabulary)
    try:
        if len(text) > LONGEST:
            raise wrong(LONGEST, len(text), f"a line has at most {LONGEST} characters")
        return Parsed(_line(reader, calls=True), None, tuple(dict.fromkeys(reader.offers)))
    except WrongError as error:
        return Parsed(None, error.wrong, tuple(dict.fromkeys(reader.offers)))


def _line(reader: Reader, *, calls: bool) -> t.Line:
    found: list[t.Command] = []
    while True:
        found.append(_command(reader, calls=calls))
        _note_added(reader, found[-1])
        if len(found) > MOST_COMMANDS:
            raise wrong(reader.at, len(reader.text), f"a line has at most {MOST_COMMANDS} commands")
        reader.blank()
        if reader.at >= len(reader.text):
            return t.Line(tuple(found))
        reader.at += 1  # the ";"
        reader.blank()
        if reader.at >= len(reader.text) and found:
            reader.offer(*_first_words(reader.vocabulary, calls=calls))
            raise wrong(reader.at, reader.at, "a command is missing behind “;”")


def _note_added(reader: Reader, command: t.Command) -> None:
    """What is behind a part that adds a symbol may name it."""
    known = reader.vocabulary
    added = [
        one.name
        for one in flat(t.Line((command,)))
        if isinstance(one, t.Watch) and one.do == "add" and not known.find(one.name)
    ]
    reader.vocabulary = replace(known, coming=(*known.coming, *added))


def _first_words(known: Vocabulary, *, calls: bool) -> tuple[str, ...]:
    return (*COMMANDS, *(known.macros if calls else ()), *known.commands)


def _command(reader: Reader, *, calls: bool) -> t.Command:
    known = reader.vocabulary
    words = _first_words(known, calls=calls)
    reader.offer(*words)
    first = reader.peek()
    if first is None:
        raise wrong(reader.at, reader.at, "a command is missing, such as buy, close or cancel")
    reader.at = first.end
    read = COMMANDS.get(first.word)
    if read is not None:
        try:
            return read(reader, first)
        except WrongError as error:
            return _own(reader, first, error)
    macro = known.macros.get(first.word)
    if macro is not None:
        if not calls:
            raise wrong(first.start, first.end, f"a macro calls no macro: “{first.text}” is one")
        return _expanded(reader, first, macro)
    if first.word in known.commands:
        reader.ended()
        return t.Run(span=Span(first.start, first.end), command=first.word)
    alike = near(first.text, words)
    hint = f"; did you mean {alike}?" if alike else ": help lists them"
    raise wrong(first.start, first.end, f"unknown command “{first.text}”{hint}", alike)


def _own(reader: Reader, first: Chunk, error: WrongError) -> t.Command:
    """A word that stands alone and is also a command of the console, such as `stop`, opens its
    dialog. Raises the error of anything else.
    """
    if first.word in reader.vocabulary.commands:
        after = Reader(reader.text, reader.vocabulary)
        after.at = first.end
        if after.peek() is None:
            reader.at = first.end
            return t.Run(span=Span(first.start, first.end), command=first.word)
    raise error


def _expanded(reader: Reader, first: Chunk, macro: Macro) -> t.Command:
    arguments = macros.arguments(reader, macro)
    text = macros.fill(macro, arguments)
    inner = Reader(text, replace(reader.vocabulary, commands=()))
    try:
        line = _line(inner, calls=False)
    except WrongError as error:
        raise macros.inside(error, first.start, reader.at, macro.name) from error
    return t.Expanded(
        span=reader.span(first.start),
        name=macro.name,
        arguments=arguments,
        text=text,
        commands=line.commands,
    )


def flat(line: t.Line) -> tuple[t.Command, ...]:
    """All commands of a line, those of a macro in its place."""
    found: list[t.Command] = []
    for command in line.commands:
        found.extend(command.commands if isinstance(command, t.Expanded) else (command,))
    return tuple(found)


def read_macros(
    texts: Mapping[str, str], commands: tuple[str, ...] = ()
) -> tuple[dict[str, Macro], dict[str, str]]:
    """The macros of the settings that can be used, and what is wrong with each of the others.
    `commands` are the console's own.
    """
    usable: dict[str, Macro] = {}
    faults: dict[str, str] = {}
    others = {name: Macro(name, "") for name in texts}
    for name, text in texts.items():
        try:
            macro = macros.made(name, text)
            if name in COMMANDS or name in commands:
                raise ValueError(f"{name} is a command already")
            filled = macros.fill(macro, macros.samples(macro))
            _line(Reader(filled, replace(macros.SAMPLE, macros=others)), calls=False)
            usable[name] = macro
        except ValueError as error:
            faults[name] = str(error)
        except WrongError as error:
            faults[name] = error.wrong.text
    return usable, faults
