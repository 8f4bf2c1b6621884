"""Writes a layout as a file that a person can go on with."""

from pathlib import Path

from tui.layouts.model import Layout, Variant
from tui.layouts.reading import NAME

HEAD = (
    "# A layout of the console: docs/console.md, “Panes and layouts”, says what may stand here.\n"
)


def save(folder: Path, name: str, layout: Layout) -> Path:
    """Write it as `NAME.toml` into a folder, which is made where it is not there; returns the file.
    Raises ValueError for a name that can't be one or is taken, OSError where it can't be written.
    """
    if not NAME.match(name):
        raise ValueError(f"“{name}” can't be a layout's name: a-z, 0-9 and - only")
    file = folder / f"{name}.toml"
    if file.exists():
        raise ValueError(f"{file} is there already: choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{name}.toml.new"
    beside.write_text(HEAD + "".join(map(_variant, layout.variant)), encoding="utf-8")
    beside.replace(file)
    return file


def _variant(variant: Variant) -> str:
    def tracks(wanted: tuple[int | str, ...]) -> str:
        return ", ".join(f'"{track}"' if isinstance(track, str) else str(track) for track in wanted)

    cells = variant.names
    widths = [max(len(row[x]) for row in cells) for x in range(len(variant.columns))]
    areas = "".join(
        '    "' + " ".join(map(str.ljust, row, widths)).rstrip() + '",\n' for row in cells
    )
    return (
        f"\n[[variant]]\nmin = [{variant.min[0]}, {variant.min[1]}]\n"
        f"columns = [{tracks(variant.columns)}]\nrows = [{tracks(variant.rows)}]\n"
        f"areas = [\n{areas}]\n"
    )
