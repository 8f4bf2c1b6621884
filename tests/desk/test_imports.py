"""No circle among the rules: each of their modules can be the first that is imported."""

import subprocess
import sys
from pathlib import Path

import engine.desk

ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [one for one in sys.modules if one == "engine" or one.startswith("engine.")]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: {error}")
"""


def test_each_module_of_the_desk_can_be_imported_first() -> None:
    """`lint-imports` sees no circle inside a room; which module comes first depends on who asks (a
    console, a test, the last exit).
    """
    folder = Path(engine.desk.__file__).parent
    names = [
        f"engine.desk.{path.stem}"
        for path in sorted(folder.glob("*.py"))
        if path.stem != "__init__"
    ]
    assert len(names) > 30
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *names],
        cwd=folder.parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == ""
