"""`python -m tests.bench.clients [CLIENT ...] [--in FOLDER]`: other programs' clients at `flatout
exchange`, and what each could do.

Each client is installed with pip in a virtual environment of its own below FOLDER (default: a
temporary one), at a version that was tried; one that can't be installed here is printed as such. A
probe (`client_probes/`) then runs in that environment against an exchange of its own on loopback.
Nothing connects beyond loopback but pip.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

PROBES = Path(__file__).parent / "client_probes"
INSTALLING, PROBING = 900, 240
"""Seconds at most."""


class Client(Struct, frozen=True):
    """A client, and how it is tried."""

    name: str
    requires: tuple[str, ...]
    """What pip installs."""
    probe: str
    profile: str = "kraken-spot"
    tls: bool = False
    """Whether it speaks to nobody unencrypted."""
    python: str = ""
    """The oldest Python that it runs on, where that is newer than this project's."""


FUTURES = "kraken-futures"
CLIENTS = (
    Client("krakenex", ("krakenex",), "krakenex_rest.py"),
    Client("ccxt", ("ccxt",), "ccxt_rest.py"),
    Client("ccxt futures", ("ccxt",), "ccxt_rest.py", FUTURES),
    Client("ccxt.pro", ("ccxt",), "ccxt_pro.py"),
    Client("ccxt.pro futures", ("ccxt",), "ccxt_pro.py", FUTURES),
    Client("python-kraken-sdk", ("python-kraken-sdk",), "kraken_sdk.py"),
    Client("python-kraken-sdk futures", ("python-kraken-sdk",), "kraken_sdk.py", FUTURES),
    Client("cryptofeed", ("cryptofeed>=3",), "cryptofeed_feed.py", tls=True, python="3.13"),
    Client(
        "cryptofeed futures",
        ("cryptofeed>=3",),
        "cryptofeed_feed.py",
        FUTURES,
        tls=True,
        python="3.13",
    ),
    Client("freqtrade", ("freqtrade",), "freqtrade_bot.py"),
    Client("nautilus_trader", ("nautilus_trader>=1.222",), "nautilus_node.py", python="3.13"),
    Client(
        "nautilus_trader futures",
        ("nautilus_trader>=1.222",),
        "nautilus_node.py",
        FUTURES,
        python="3.13",
    ),
)


class Tried(Struct):
    """What became of one client."""

    client: Client
    version: str
    """Empty where it could not be installed."""
    trouble: str
    """Why it was not tried, or why its probe ended early."""
    steps: list[dict[str, Any]]


def interpreter(client: Client) -> str | None:
    """The Python that a client's environment is made with; None where there is none as new as it
    needs.
    """
    if not client.python:
        return sys.executable
    there = sorted(Path.home().glob(f".pyenv/versions/{client.python}*/bin/python"))
    return shutil.which(f"python{client.python}") or (str(there[-1]) if there else None)


def environment(client: Client, folder: Path) -> tuple[Path, str, str]:
    """The client's own Python, its version, and the last line of what pip said where it can't be
    installed.
    """
    place = folder / client.requires[0].partition(">")[0]
    python, needed = place / "bin" / "python", interpreter(client)
    if needed is None:
        return (
            python,
            "",
            f"it needs Python {client.python}, and none was found on the path or among pyenv's",
        )
    if not python.exists():
        subprocess.run([needed, "-m", "venv", str(place)], check=True, timeout=INSTALLING)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        *client.requires,
    ]
    done = subprocess.run(install, check=False, capture_output=True, text=True, timeout=INSTALLING)
    if done.returncode:  # a client without a wheel is built from its source
        install = [part for part in install if part not in ("--only-binary", ":all:")]
        done = subprocess.run(
            install, check=False, capture_output=True, text=True, timeout=INSTALLING
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return python, "", (said or ["pip failed"])[-1]
    name = client.requires[0].partition(">")[0]
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    return (
        python,
        subprocess.run(
            [str(python), "-c", asked], check=True, capture_output=True, text=True
        ).stdout.strip(),
        "",
    )


@contextmanager
def exchange(client: Client, folder: Path) -> Iterator[dict[str, Any]]:
    """An exchange of its own; what it said when it began to listen."""
    command = [
        sys.executable,
        "-m",
        "tui.cli",
        "exchange",
        "--profile",
        client.profile,
        "--cash",
        "USD=100000",
        "--attached",
    ]
    command += ["--tls", str(folder / "certificate")] if client.tls else []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield {**json.loads(process.stdout.readline()), "futures": client.profile == FUTURES}
        finally:
            process.stdin.close()


def tried(client: Client, folder: Path) -> Tried:
    """Install a client, and let its probe run."""
    try:
        python, version, trouble = environment(client, folder)
    except (subprocess.SubprocessError, OSError) as error:
        return Tried(client, "", f"{type(error).__name__}: {error}", [])
    if not version:
        return Tried(client, "", trouble, [])
    steps = list[dict[str, Any]]()
    with exchange(client, folder) as ready:
        command = [str(python), str(PROBES / client.probe), json.dumps(ready)]
        certificate = {"SSL_CERT_FILE": str(ready["certificate"])} if client.tls else {}
        plain = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "FLATOUT"))
        }
        with tempfile.TemporaryDirectory() as home:
            around = {**plain, **certificate, "HOME": home}
            try:
                done = subprocess.run(
                    command,
                    check=False,
                    capture_output=True,
                    text=True,
                    timeout=PROBING,
                    cwd=home,
                    env=around,
                )
                out, trouble = (
                    done.stdout,
                    done.stderr.strip().rpartition("\n")[2] if done.returncode else "",
                )
            except subprocess.TimeoutExpired as error:
                told = error.stdout or b""
                out, trouble = (
                    told.decode() if isinstance(told, bytes) else told,
                    f"did not end within {PROBING} s",
                )
    for line in out.splitlines():
        if line.startswith('{"what"'):
            steps.append(json.loads(line))
    return Tried(client, version, trouble, steps)


def matrix(rows: list[Tried]) -> str:
    """The table, and below it what failed."""
    lines = ["| client | version | works | does not |", "|---|---|---|---|"]
    failed = list[str]()
    for row in rows:
        good = [step["what"] for step in row.steps if step["ok"]]
        bad = [step for step in row.steps if not step["ok"]]
        version = row.version or "can't be installed here"
        lines.append(
            f"| {row.client.name} | {version} | {len(good)}: {', '.join(good)} |"
            f" {', '.join(step['what'] for step in bad) or '-'} |"
        )
        failed += [f"{row.client.name}: {step['what']}: {step['detail']}" for step in bad]
        failed += [f"{row.client.name}: {row.trouble}"] if row.trouble else []
    return "\n".join([*lines, "", *failed])


def main() -> int:
    """Try them, and print the matrix; 1 where something failed that could be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clients")
    parser.add_argument(
        "clients",
        nargs="*",
        metavar="CLIENT",
        help=f"of {', '.join(client.name for client in CLIENTS)}",
    )
    parser.add_argument(
        "--in", dest="folder", type=Path, help="where the environments are, to be used again"
    )
    wanted = parser.parse_args()
    rows = list[Tried]()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for client in CLIENTS:
            if not wanted.clients or client.name in wanted.clients:
                rows.append(tried(client, folder.resolve()))
                print(
                    f"  {client.name}: {rows[-1].version or rows[-1].trouble}",
                    file=sys.stderr,
                    flush=True,
                )
    print(matrix(rows))
    return int(
        any(
            row.version and (row.trouble or not all(step["ok"] for step in row.steps))
            for row in rows
        )
    )


if __name__ == "__main__":
    sys.exit(main())
