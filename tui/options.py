"""What a person may choose about the console."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.model.intent import OpenBracket
from engine.model.rules import LadderRules
from engine.model.templates import Templates, TemplateSettings


class ConsoleOptions(Struct, frozen=True, kw_only=True):
    """The console's own settings; the desk's are the engine's."""

    theme: str = "flatout-dark"
    """A name, or the path of a TOML file."""
    fps: float = 10.0
    """Frames per second, 1 to 60."""
    ascii: bool = False
    """Whether only ASCII is drawn."""
    screen_reader: bool = False
    """Whether nothing moves by itself but the last-action line."""
    keys: dict[str, str] = {}
    """From a command's id to its key, as Textual names keys; several separated by commas."""
    keys_origin: str = ""
    """Where the keys were said: a settings file, a variable, a flag."""
    bell: bool = True
    """Whether a new CRITICAL alert rings the terminal's bell."""
    mouse: bool = True
    """Whether clicks and the wheel reach the console; false leaves them to the terminal."""
    read_only_until_taken: bool = False
    """Whether keys do nothing to the account before `:take`."""
    home: Path = Path()
    """Where exported files go, in a folder `exports`."""
    themes: Path | None = None
    """A folder with themes of one's own."""
    sources: tuple[Path, ...] = ()
    """Files and folders that all this was read from; what is written there is used at once."""
    again: "Callable[[], ConsoleOptions] | None" = None
    """Reads all of it again; raises with what can't be used."""
    first_run: bool = False
    """Whether nobody has traded on this machine before: a card says what this is."""
    layout: str = "watch"
    """The layout at the start."""
    layouts: Path | None = None
    """A folder with layouts of one's own."""
    chart_interval: int = 60
    """Seconds of one candle at the start."""
    commands: dict[str, str] = {}
    """A person's own commands for the command line, by name."""
    ladder: LadderRules = LadderRules()
    """How the price ladder sends orders."""
    presets: tuple[str, ...] = ()
    """Sizes for `preset 1` and so on."""
    templates: Templates = msgspec.field(default_factory=Templates)
    """Those of the settings; one that is saved is added."""
    keep_template: Callable[[str, TemplateSettings], str] | None = None
    """Writes a template into the settings file; the words of what went wrong, empty for nothing."""
    filled: Callable[[OpenBracket, str], OpenBracket] | None = None
    """Fills an entry in from a template; see `engine.grammar.around`."""
    faults: tuple[str, ...] = ()
    """What of the settings is left out, a sentence each, for the banner."""
    last_exit: tuple[str, ...] = ()
    """The command that brings this account to flat without the engine; a read-only console runs it
    for F.
    """
    started_engine: bool = False
    """Whether this console started the engine that runs in another process: leaving asks what
    becomes of it.
    """
    elsewhere: str = ""
    """The account and the machine that it is on, where that is not this one."""
