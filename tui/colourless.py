"""No colours (`NO_COLOR`): what a colour said is said by bold, by reverse video, or by words."""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

FAR = 0.3
"""So much brighter or darker than what lies behind it, of 1, a ground stands out."""


@lru_cache(2048)
def _plain(style: Style, background: Color) -> Style:
    ground = style.bgcolor
    stands_out = (
        ground is not None
        and not ground.is_default
        and abs(Color.from_rich_color(ground).brightness - background.brightness) > FAR
    )
    found = style.without_color
    return found + Style(reverse=True) if stands_out else found


class Colourless(LineFilter):
    """Takes every colour away; a ground that stands out becomes reverse video."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments without colours."""
        return [
            Segment(text, None if style is None else _plain(style, background), control)
            for text, style, control in segments
        ]
