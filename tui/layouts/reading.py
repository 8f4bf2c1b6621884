"""Reads layouts. A file with a fault is left out alone, and the fault names its place."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from tui.layouts.model import CHROME, EMPTY, LEAST, TABS, Layout, Variant
from tui.layouts.placing import is_rectangle, places

Smallest = Callable[[str], tuple[int, int] | None]
"""The smallest width and height of a pane of this name; None where no pane is called so."""
TABS_LEAST = (60, 7)
"""Smallest area of the tabs: the strip, and a pane of a few lines."""
NAME = re.compile(r"^[a-z0-9-]{1,32}$")


class LayoutError(ValueError):
    """A layout that can't be used, in words that begin with the place in the file."""


class Layouts(Struct, frozen=True):
    """All layouts that could be read, and what is wrong with the others."""

    layouts: dict[str, Layout]
    errors: tuple[str, ...]


def load(smallest: Smallest, own: Path | None = None) -> Layouts:
    """The layouts that come with the console, then those in the folder `own`; one of the same name
    takes the place of a built-in.
    """
    layouts: dict[str, Layout] = {}
    errors: list[str] = []
    for folder in (Path(__file__).parent, own):
        if folder is None or not folder.is_dir():
            continue
        for file in sorted(folder.glob("*.toml")):
            try:
                layouts[file.stem] = read(file, smallest)
            except LayoutError as error:
                errors.append(f"layout left out: {error}")
    return Layouts(layouts, tuple(errors))


def read(file: Path, smallest: Smallest) -> Layout:
    """One layout. Raises LayoutError where it can't be used."""
    try:
        text = file.read_text(encoding="utf-8")
        layout = msgspec.toml.decode(text, type=Layout)
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{file.name}: {error}") from error
    if not NAME.match(file.stem):
        raise LayoutError(f"{file.name}: a name has a-z, 0-9 and - only")
    if not layout.variant:
        raise LayoutError(f"{file.name}: no [[variant]]")
    for index, variant in enumerate(layout.variant):
        for key, why in faults(variant, smallest):
            raise LayoutError(f"{file.name}:{_line(text, index, key)}: {why}")
    return layout


def faults(variant: Variant, smallest: Smallest) -> Iterator[tuple[str, str]]:
    """What is wrong with a variant: the key that says it, and why."""
    width, height = variant.min
    if width < LEAST[0] or height < LEAST[1]:
        yield "min", f"min is {width}×{height}: panes need {LEAST[0]}×{LEAST[1]}"
        return
    cells = variant.names
    if len(cells) != len(variant.rows):
        yield "areas", f"{len(cells)} areas for {len(variant.rows)} rows"
        return
    for row in cells:
        if len(row) != len(variant.columns):
            yield "areas", f"“{' '.join(row)}” has {len(row)} of {len(variant.columns)} columns"
            return
    for key, wanted, room in (("columns", variant.columns, width), ("rows", variant.rows, height)):
        room -= CHROME if key == "rows" else 0
        fixed = sum(track for track in wanted if isinstance(track, int))
        if fixed > room:
            yield key, f"{key} need {fixed} cells: a terminal of {width}×{height} has {room}"
    yield from _area_faults(variant, smallest)


def _area_faults(variant: Variant, smallest: Smallest) -> Iterator[tuple[str, str]]:
    width, height = variant.min
    names = {name: None for row in variant.names for name in row if name != EMPTY}
    if "positions" not in names:
        yield "areas", "positions are part of every layout"
    found = places(variant, width, height - CHROME)
    for name in names:
        least = TABS_LEAST if name == TABS else smallest(name)
        if least is None:
            yield "areas", f"no pane is called “{name}”"
        elif not is_rectangle(variant, name):
            yield "areas", f"the cells of {name} are no rectangle, so areas would overlap"
        elif found[name].width < least[0] or found[name].height < least[1]:
            has, needs = f"{found[name].width}×{found[name].height}", f"{least[0]}×{least[1]}"
            yield "areas", f"{name} needs {needs}; {width}×{height} cells leave it {has}"


def _line(text: str, variant: int, key: str) -> int:
    """The line on which a variant says a key."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines, 1) if line.strip().startswith("[[variant]]")]
    if variant >= len(heads):
        return 1
    end = heads[variant + 1] if variant + 1 < len(heads) else len(lines) + 1
    entry = re.compile(rf"^\s*{key}\s*=")
    return next(
        (n for n in range(heads[variant], end) if entry.match(lines[n - 1])), heads[variant]
    )
