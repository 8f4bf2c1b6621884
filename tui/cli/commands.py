"""The commands of `flatout`: each is a file of this folder, named as it is called, and is loaded
when it is called.

`flatout --help`, and the console, must not wait for what a single command needs. So what the list
says of each stands here; a test holds it against the command's own words.
"""

import importlib
from keyword import iskeyword

import click
from click.shell_completion import CompletionItem

COMMANDS = {
    "accounts": (
        "List the accounts that the settings file and this machine's homes know, with their state."
    ),
    "attach": ("Open a console for an engine that runs already, such as one of `flatout serve`."),
    "data": (
        "Say what files, folders or archives of prices hold: what they were taken for, ranges, "
        "gaps, and rows that can't be used."
    ),
    "do": "Do what the console's command line does: `flatout do 'close eth 50%'`.",
    "doctor": (
        "Look at everything that a session needs, and say what to mend: home, disk, journal, "
        "key, permissions, clock, streams."
    ),
    "drill": (
        "Play a paper session with a scripted emergency, and grade what you did. Without NAME: "
        "list the drills, with what came of them so far."
    ),
    "engines": (
        "List the engines that run on this machine with their state; `stop` ends one in order."
    ),
    "events": (
        "Print what changed orders, positions, protection, money and alerts, numbered: by the "
        "account's engine, or, where none runs, by its journal. Sends nothing."
    ),
    "exchange": (
        "Serve the matching engine over an exchange's real protocol, on loopback: something "
        "to rehearse live trading against."
    ),
    "export": (
        "Write orders, fills, positions, alerts, the equity, trades, refusals and more to a file."
    ),
    "flatten": (
        "Cancel everything of ours, close everything, until the venue says flat, with or "
        "without a console that answers."
    ),
    "fork": (
        "Make the new paper account NAME of what an account was at a moment of a recording, to go "
        "on from there otherwise: with its journal, positions, orders and money. The account stays "
        "as it is."
    ),
    "import": (
        "Convert files, folders or archives of prices once, so that they open at once and play "
        "from any time."
    ),
    "journal": "Look at the journal.",
    "keys": "Print the console's keys as the settings map them, and what can't be used.",
    "notify": "Try the outlets: `flatout notify test`.",
    "pipe": (
        "Carry a console's bytes between standard input and output and the engine of an "
        "account: what `flatout attach ssh://HOST/ACCOUNT` runs on HOST."
    ),
    "record": (
        "Write an exchange's live quotes and trades to files that `--market` and a scenario "
        "can play. Needs no key."
    ),
    "rehearse": (
        "Rehearse live trading with one command: an exchange on this machine, and the console "
        "at it, as if it were real."
    ),
    "report": (
        "Write what happened as one page, from the journal alone: asked, sent, answered, filled, "
        "naked, alerted, with times. Sends nothing."
    ),
    "rewind": (
        "Show the console as it was at a moment of the journal, and travel in time with the arrow "
        "keys. Sends nothing."
    ),
    "run": "Run a scripted session without a screen.",
    "serve": (
        "Run the engine of an account without a console; `flatout attach` looks at it and trades."
    ),
    "settings": "Print the effective settings and where each one came from.",
    "soak": (
        "Search for what breaks the promise: random stories of faults, crashes and keys, "
        "checked after every step."
    ),
    "status": (
        "Say how the account stands: by its engine, or, where none runs, by its journal. "
        "Sends nothing."
    ),
    "timeline": (
        "Say what happened to an order (by our id or the venue's), a position or an intent, step "
        "by step: by the account's engine, or, where none runs, by its journal. Sends nothing."
    ),
    "venue": "Look at a venue.",
    "web": "Serve the console to a browser on this machine (needs flatout[web]).",
}
"""From a command to the first paragraph of its help."""


class Commands(click.Group):
    """A group whose commands are loaded one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command by name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        found = importlib.import_module(f"tui.cli.{name}").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without loading any."""
        width = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, told(name).get_short_help_str(width)) for name in self.list_commands(ctx)]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer them without loading any."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        offered = [CompletionItem(name, help=told(name).get_short_help_str()) for name in names]
        return [*offered, *click.Command.shell_complete(self, ctx, incomplete)]


def told(name: str) -> click.Command:
    """What the list says of a command."""
    return click.Command(name, help=COMMANDS[name])
