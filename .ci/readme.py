"""The blocks of the README and of the pages in docs/, and whether they work as they stand.

Usage: readme.py open | test          print the command of that block
       readme.py list                 list the blocks and how each is run
       readme.py run BIN [PAGE ...]   run every block but the first two, with the commands of BIN

Each page is run in a folder of its own, from top to bottom. A console is driven in a
pseudo-terminal; `flatout exchange` goes on beside what follows, until another one takes its port; a
scenario is run; settings are read by the commands after them; the recorded prices that the README
speaks of are made here. Blocks in other languages are read only.
"""

import gzip
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from console import Terminal

TOP = Path(__file__).parent.parent
README = "README.md"


def blocks(page: str) -> list[tuple[str, str]]:
    """Kind and text of each block of a page that is run."""
    return re.findall(
        r"^```(sh|console|toml)\n(.*?)^```",
        (TOP / page).read_text(encoding="utf-8"),
        flags=re.DOTALL | re.MULTILINE,
    )


PAGES = [
    page
    for page in (README, *sorted(str(path.relative_to(TOP)) for path in TOP.glob("docs/**/*.md")))
    if blocks(page)
]
SCRIPTS = [body.strip() for kind, body in blocks(README) if kind == "sh"]
ELSEWHERE = {
    SCRIPTS[0]: "opens the console: .ci/console.py",
    SCRIPTS[1]: "passes the tests: .ci/run",
}
LOOK = ("accounts", "doctor", "export", "journal", "settings", "status")
COMMANDS = (*LOOK, "exchange", "flatten", "record", "rehearse", "run", "soak", "venue", "web")
PORT = 8080
"""That the README names; another one is taken where it is not free."""


def commands(body: str) -> list[str]:
    """The lines that are typed."""
    return [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]


def way(command: str) -> str:
    """How a command is run: export, serve, console, or plain."""
    words = shlex.split(command, comments=True)
    if words[0] == "export":
        return "export"
    found = next((word for word in words[1:] if word in (*COMMANDS, "--version")), "")
    return {"exchange": "serve", "rehearse": "console", "": "console"}.get(found, "plain")


class Runner:
    """Runs blocks one after the other, as a person with two terminals would."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "settings.toml"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FLATOUT")
        }
        self.environment |= {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "FLATOUT_HOME": str(folder / "home"),
            "FLATOUT_SETTINGS": str(self.settings),
        }
        self.servers: list[tuple[str, subprocess.Popen[str]]] = []
        self.port = PORT if _free(PORT) else _free(0)

    def block(self, kind: str, body: str) -> None:
        """One block, as it stands."""
        body = body.replace(str(PORT), str(self.port))
        if kind == "toml":
            self.toml(body)
        elif kind == "sh":
            self.plain(body)
        else:
            for command in commands(body):
                print(f"$ {command}", flush=True)
                getattr(self, way(command))(command)

    def toml(self, body: str) -> None:
        """A scenario is run; anything else is the settings file from now on."""
        if "[[do]]" not in body:
            self.settings.write_text(body, encoding="utf-8")
            return
        (self.folder / "SCENARIO.toml").write_text(body, encoding="utf-8")
        self.plain("flatout run SCENARIO.toml --quiet")

    def export(self, command: str) -> None:
        """For the commands that follow."""
        for word in shlex.split(command, comments=True)[1:]:
            name, _, value = word.partition("=")
            self.environment[name] = value

    def plain(self, command: str) -> None:
        """A command that ends, well."""
        typed = ["bash", "-euo", "pipefail", "-c", command]
        told = subprocess.run(
            typed,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if told.returncode != 0:
            sys.exit(
                "readme: it ended with"
                f" {told.returncode}\n{told.stdout[-2_000:]}{told.stderr[-2_000:]}"
            )

    def serve(self, command: str) -> None:
        """A server that says when it listens, and goes on; another one on the same port takes its
        place.
        """
        port = re.search(r"--port \d+", command)
        if port and any(port[0] in known for known, _ in self.servers):
            self.close()
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.servers.append((command, server))
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            sys.exit(f"readme: nothing serves after {command!r}")
        json.loads(line)

    def console(self, command: str) -> None:
        """The console: drawn, open, and left in order."""
        os.chdir(self.folder)
        terminal = Terminal(command, self.environment)
        terminal.wait_for("Positions", 60)
        terminal.wait_for("naked 0", 60)  # the engine is open: the status line tells
        terminal.leave()

    def close(self) -> None:
        """End what serves."""
        while self.servers:
            _, server = self.servers.pop()
            server.terminate()
            server.wait(20)


def _free(port: int) -> int:
    """The port where it is free, one that is free for 0, else 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def recorded(folder: Path) -> None:
    """Make the recorded prices that the README plays: ten minutes of quotes and trades."""
    start, quotes, trades = (
        1_700_000_000_000_000_000,
        ["ts_ns,symbol,bid,bid_size,ask,ask_size"],
        ["ts_ns,symbol,price,size,side"],
    )
    for index in range(6_000):
        at, price = start + index * 100_000_000, 37_000 + (index * 7919 % 400) / 10
        quotes.append(f"{at},BTCUSDT,{price:.1f},1.5,{price + 0.1:.1f},1.2")
        if index % 5 == 0:
            trades.append(f"{at + 1},BTCUSDT,{price:.1f},0.01,{'buy' if index % 2 else 'sell'}")
    for name, rows in (("quotes", quotes), ("trades", trades)):
        (folder / f"btcusdt-{name}.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))


def run(binaries: Path, pages: list[str]) -> None:
    """Every block of the pages but those that .ci/run runs elsewhere."""
    binaries = binaries.absolute()
    for page in pages:
        print(f"== {page}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            runner = Runner(binaries, Path(folder))
            recorded(runner.folder)
            try:
                for kind, body in blocks(page):
                    if body.strip() not in ELSEWHERE:
                        runner.block(kind, body)
            finally:
                runner.close()
    print(f"readme: every block of {', '.join(pages)} works as it stands")


def told(kind: str, body: str) -> str:
    """A block in one line: how it is run."""
    if body.strip() in ELSEWHERE:
        return ELSEWHERE[body.strip()]
    if kind == "toml":
        return "scenario, run" if "[[do]]" in body else "settings of what follows"
    return (
        ", ".join(f"{way(command)}: {command[:50]}" for command in commands(body))
        if kind == "console"
        else "run"
    )


def main() -> None:
    """See above."""
    match sys.argv[1:]:
        case ["open"]:
            print(SCRIPTS[0])
        case ["test"]:
            print(SCRIPTS[1])
        case ["list"]:
            print(
                "\n".join(
                    f"{page:<24} {kind:<8} {told(kind, body)}"
                    for page in PAGES
                    for kind, body in blocks(page)
                )
            )
        case ["run", binaries, *pages]:
            run(Path(binaries), pages or PAGES)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
