"""`[commands]` of the settings file: commands of one's own, `scalp = "buy {1:symbol} ..."`, each
checked when it is loaded, and left out alone where it can't be used; and the sizes of
`console.presets`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.setup.setting_lines import located

# The language is imported where something of it is said: the console paints before it needs it, and
# most settings files have neither commands nor presets.

SECTION = "commands"
Origins = Mapping[str, str]


def read(wanted: Mapping[str, Any], origins: Origins) -> tuple[dict[str, str], tuple[str, ...]]:
    """The commands that can be used, and why each of the others can't."""
    if not wanted:
        return {}, ()
    from engine.grammar.parser import read_macros

    texts = {name: text for name, text in wanted.items() if isinstance(text, str)}
    usable, wrong = read_macros(texts)
    for name, value in wanted.items():
        if name not in texts:
            wrong[name] = f"{value!r} is no text"
    faults = [
        f"settings: {_place(name, origins)}: {SECTION}.{name}: {why}; the command is left out"
        for name, why in wrong.items()
    ]
    return {name: texts[name] for name in usable}, tuple(faults)


def _place(name: str, origins: Origins) -> str:
    return located(origins.get(f"{SECTION}.{name}", "default"), (SECTION, name))


def preset_faults(presets: Sequence[str], origins: Origins) -> Iterator[str]:
    """Why each of `console.presets` that is no size can't be used."""
    if not presets:
        return
    from engine.grammar.parser import parse
    from engine.grammar.vocabulary import Vocabulary

    known = Vocabulary(symbols=("XXX/USD",), focus="XXX/USD")
    for number, text in enumerate(presets, 1):
        found = parse(f"buy {text} stop 1%", known)
        if found.wrong is not None or "preset" in text.lower() or ";" in text:
            place = located(origins.get("console.presets", "default"), ("console", "presets"))
            yield f"settings: {place}: console.presets: {text!r}, preset {number}, is no size"
