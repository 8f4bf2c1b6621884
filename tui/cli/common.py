"""What all commands share: which settings, which home."""

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


class Common:
    """What all commands share."""

    def __init__(
        self,
        settings: Path | None,
        flags: tuple[str, ...],
        home: Path | None,
        *,
        new: bool = False,
        take_over: bool = False,
        dead: bool = False,
    ) -> None:
        self.settings = settings
        self.flags = flags
        self.home = home
        self.new = new
        self.take_over = take_over
        self.dead = dead
