"""The list of commands: what it says, and that looking at it loads none of them."""

import subprocess
import sys

import click
import pytest

from tui.cli import main
from tui.cli.commands import COMMANDS, told


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    for width in (40, 60, 100, 200):
        assert told(name).get_short_help_str(width) == command.get_short_help_str(width)


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_waits_for_no_command(asked: str) -> None:
    code = (
        "import sys; from tui.cli import main; main([sys.argv[1]], standalone_mode=False);"
        " print([name for name in sys.modules if name.removeprefix('tui.cli.')"
        f" in {[*COMMANDS]!r}] or 'none')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, asked], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "none"


def test_a_shell_is_offered_the_commands_and_the_options() -> None:
    ctx = click.Context(main)
    offered = [item.value for item in main.shell_complete(ctx, "re")]
    assert offered == ["record", "rehearse", "report", "rewind"]
    assert "--settings" in [item.value for item in main.shell_complete(ctx, "--")]


def test_what_is_no_command_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "flat"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "No such command 'flat'" in done.stderr
