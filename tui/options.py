"""What a person may choose about the console."""

from pathlib import Path

from msgspec import Struct


class ConsoleOptions(Struct, frozen=True, kw_only=True):
    """The console's own settings; the desk's are the engine's."""

    theme: str = "flatout-dark"
    """A name, or the path of a TOML file."""
    fps: float = 10.0
    """Frames per second, 1 to 60."""
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
    chart_interval: int = 60
    """Seconds of one candle at the start."""
    last_exit: tuple[str, ...] = ()
    """The command that brings this account to flat without the engine; a read-only console runs it for F."""
