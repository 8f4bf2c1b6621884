"""A console under test paints when somebody reads its screen.

A headless console has no terminal: each of its frames is rendered and thrown away, at every key and
every price. What is read is rendered anew in any case.
"""

from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.app import App
from textual.screen import Screen

_render_update = Compositor.render_update


def screen_text(app: App[None]) -> str:
    """Everything on the screen, line by line."""
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def _nothing(
    compositor: Compositor,
    full: bool = False,
    screen_stack: list[Screen[object]] | None = None,
    simplify: bool = False,
) -> object:
    if full or not active_app.get().is_headless:
        return _render_update(compositor, full, screen_stack, simplify)
    compositor._dirty_regions.clear()
    return None


def paint_when_read() -> None:
    """From now on no headless console of this process renders a frame that nobody reads."""
    Compositor.render_update = _nothing  # type: ignore[method-assign, assignment]


def paint_every_frame() -> None:
    """From now on every frame is rendered again, as on a terminal."""
    Compositor.render_update = _render_update  # type: ignore[method-assign]
