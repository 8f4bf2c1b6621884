"""Looks as data: each TOML file here is one theme of the console. Nothing but colours; nothing here
imports the rest.

A person's own themes are files of the same shape in a folder of theirs. What is wrong with any of
them is gathered, so that one message can say all of it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Colour = Annotated[str, Meta(pattern=r"^#[0-9a-fA-F]{6}$")]

DEFAULT = "flatout-dark"
"""The look when none is chosen: its pair for gain and loss is told apart with every common
colour-blindness.
"""


class Colours(Struct, frozen=True, forbid_unknown_fields=True):
    """What the surface is painted with, each as `#rrggbb`."""

    background: Colour
    surface: Colour
    """Behind panes."""
    raised: Colour
    """Behind bars and dialogs."""
    line: Colour
    """Borders."""
    text: Colour
    dim: Colour
    """Secondary text."""
    faint: Colour
    """Guides and empty states."""
    up: Colour
    """Gain, long, bid."""
    down: Colour
    """Loss, short, ask."""
    warn: Colour
    danger: Colour
    """Naked, refused, broken; always beside a word that says so."""
    accent: Colour
    """Keys, focus, the cursor."""
    selection: Colour
    """Behind the selected row."""


class Look(Struct, frozen=True, forbid_unknown_fields=True):
    """One theme."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$")]
    dark: bool
    colours: Colours


class Looks(Struct, frozen=True):
    """All themes that could be read, and what was wrong with the others."""

    looks: dict[str, Look]
    errors: tuple[str, ...]


def read(file: Path) -> Look | str:
    """One theme, or what is wrong with its file."""
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Look)
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        return f"theme {file.name}: {error}"


def load(own: Path | None = None) -> Looks:
    """The themes that come with the console, then those in the folder `own`; a file that can't be
    used is an error in words.
    """
    looks: dict[str, Look] = {}
    errors: list[str] = []
    for folder in (Path(__file__).parent, own):
        if folder is None or not folder.is_dir():
            continue
        for file in sorted(folder.glob("*.toml")):
            look = read(file)
            if isinstance(look, str):
                errors.append(look)
            else:
                looks[look.name] = look
    return Looks(looks, tuple(errors))


def unknown(name: str, looks: Iterable[str]) -> str:
    """What to say of a theme that is not there."""
    return f"console.theme is {name!r}: no theme is called so; known: {', '.join(looks)}"


def wrong(name: str, own: Path | None) -> str:
    """Why a theme that somebody named can't be used: a name, or the path of a file; empty where it
    can.
    """
    if name.endswith(".toml"):
        found = read(Path(name).expanduser())
        return found if isinstance(found, str) else ""
    loaded = load(own)
    if name in loaded.looks:
        return ""
    return "; ".join(
        (
            unknown(name, loaded.looks),
            *(error for error in loaded.errors if error.startswith(f"theme {name}.toml")),
        )
    )
