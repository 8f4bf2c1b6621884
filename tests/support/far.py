"""Stands in for ssh in tests (`FLATOUT_SSH_COMMAND`): runs the command on this machine, as the
other one would.

    python tests/support/far.py [-p PORT] TARGET COMMAND

While the file that FAR_IS_DOWN names is there, it fails as ssh does without a network.
"""

import os
import shlex
import sys
from pathlib import Path


def _become(words: list[str]) -> int:
    os.execv(words[0], words)


def main(words: list[str]) -> int:
    *_, target, command = words
    if Path(os.environ.get("FAR_IS_DOWN", "/nowhere")).exists():
        print(f"ssh: connect to host {target} port 22: Network is unreachable", file=sys.stderr)
        return 255
    program, *rest = shlex.split(command)
    if program != "flatout":
        print(f"bash: line 1: {program}: command not found", file=sys.stderr)
        return 127
    return _become([sys.executable, "-m", "tui.cli", *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
