"""Layouts as data: each TOML file here is one arrangement of the panes, with variants by size.

`reading` reads and checks a file, `placing` computes where the panes stand. Nothing here knows a
widget. A person's own layouts are files of the same shape in the folder `layouts` beside the
settings.
"""

from tui.layouts.model import Layout, Variant
from tui.layouts.placing import Place, places, variant_for
from tui.layouts.reading import LayoutError, Layouts, load, read

DEFAULT = "watch"
"""The layout at the start."""

__all__ = [
    "DEFAULT",
    "Layout",
    "LayoutError",
    "Layouts",
    "Place",
    "Variant",
    "load",
    "places",
    "read",
    "variant_for",
]
