"""From a tone (what a piece of text means) to how it is painted. Widgets name tones; only this
module names colours.
"""

from rich.style import Style
from textual.theme import Theme

from themes import Look


def _styles(look: Look) -> dict[str, Style]:
    c = look.colours
    ink = c.background if look.dark else c.surface
    return {
        "plain": Style(color=c.text),
        "strong": Style(color=c.text, bold=True),
        "dim": Style(color=c.dim),
        "faint": Style(color=c.faint),
        "line": Style(color=c.line),
        "up": Style(color=c.up),
        "down": Style(color=c.down),
        "good": Style(color=c.up),
        "bad": Style(color=c.danger, bold=True),
        "busy": Style(color=c.accent),
        "warn": Style(color=c.warn),
        "danger": Style(color=c.danger, bold=True),
        "key": Style(color=c.accent, bold=True),
        "accent": Style(color=c.accent),
        "head": Style(color=c.dim),
        "paper": Style(color=ink, bgcolor=c.accent, bold=True),
        "cursor": Style(color=c.background, bgcolor=c.accent),
        "live": Style(color=ink, bgcolor=c.danger, bold=True),
        "alarm": Style(color=ink, bgcolor=c.danger, bold=True),
        "notice": Style(color=ink, bgcolor=c.warn, bold=True),
        "on-surface": Style(color=c.text, bgcolor=c.surface),
        "on-raised": Style(color=c.text, bgcolor=c.raised),
        "on-background": Style(color=c.text, bgcolor=c.background),
        "on-selection": Style(color=c.text, bgcolor=c.selection),
        "on-selection-away": Style(color=c.text, bgcolor=c.raised),
    }


class Palette:
    """The styles of the look in use; `generation` changes with it, so that caches can tell."""

    def __init__(self, look: Look) -> None:
        self.generation = 0
        self.use(look)

    def use(self, look: Look) -> None:
        """Paint with `look` from now on."""
        self.look = look
        self._styles = _styles(look)
        self._on: dict[Style, dict[str, Style]] = {}
        self.generation += 1

    def on(self, base: Style) -> dict[str, Style]:
        """All tones as they are painted on `base`."""
        found = self._on.get(base)
        if found is None:
            found = self._on[base] = {tone: base + style for tone, style in self._styles.items()}
        return found

    def __getitem__(self, tone: str) -> Style:
        return self._styles[tone]


def theme_of(look: Look) -> Theme:
    """The same look for Textual's own widgets."""
    c = look.colours
    return Theme(
        name=look.name,
        dark=look.dark,
        primary=c.accent,
        secondary=c.line,
        accent=c.accent,
        foreground=c.text,
        background=c.background,
        surface=c.surface,
        panel=c.raised,
        success=c.up,
        warning=c.warn,
        error=c.danger,
        variables={
            "line": c.line,
            "raised": c.raised,
            "dim": c.dim,
            "faint": c.faint,
            "border": c.accent,
            "scrollbar": c.line,
            "scrollbar-hover": c.faint,
            "scrollbar-active": c.accent,
            "scrollbar-background": c.surface,
            "scrollbar-background-hover": c.surface,
            "scrollbar-background-active": c.surface,
            "scrollbar-corner-color": c.surface,
        },
    )
