"""The example of docs/scripts.md, run as it stands beside a real engine, and `flatout do` asked of
the same one.
"""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from engine.session import messages as m
from tests.support.terminal import environment
from tests.terminal.test_attached import serving

pytestmark = pytest.mark.slow
TOP = Path(__file__).parents[2]
EXAMPLE = TOP / "docs" / "examples" / "open_and_follow.py"
PAGE = (TOP / "docs" / "scripts.md").read_text(encoding="utf-8")


def asked(path: str, question: str) -> dict[str, Any]:
    """One question on the control socket, as any language would put it."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(path)
        line.sendall(question.encode() + b"\n")
        with line.makefile() as answers:
            told: dict[str, Any] = json.loads(answers.readline())
    return told


def test_the_example_opens_protects_and_follows_a_position_to_its_end(tmp_path: Path) -> None:
    with serving(tmp_path) as engine:
        control = engine.ready["control"]
        ready = engine.run("do", "--dry-run", "buy btc 0.01 stop -2%")
        assert ready.returncode == 0, ready.stdout + ready.stderr

        def script(*words: str) -> "subprocess.Popen[str]":
            return subprocess.Popen(
                [sys.executable, str(EXAMPLE), control, *words],
                env=environment(tmp_path) | {"PYTHONPATH": str(TOP)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        process = script("BTC/USD", "0.01")
        assert process.stdout is not None
        told = []
        while "protection VENUE" not in (line := process.stdout.readline()):
            assert line, process.communicate()[1]
            told.append(line)
        closed = engine.run("do", "--yes", "close btc; wait flat within 20s")
        assert closed.returncode == 0, closed.stdout + closed.stderr
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        every = "".join(told) + line + out
        for words in (
            "place entry buy 0.01 BTC/USD",
            "filled buy 0.01",
            "place stop sell",
            "closed by",
        ):
            assert words in every
        assert re.fullmatch(r"\d+ position closed by .*", out.splitlines()[-1])
        refused = script("BTC/USD", "100000000")
        assert refused.wait(60) == 1
        _, err = refused.communicate()
        assert err.strip()
        assert asked(control, '{"type":"look"}')["positions"] == []


def test_the_page_shows_questions_that_there_are(tmp_path: Path) -> None:
    tags = {str(kind.__struct_config__.tag) for kind in get_args(m.Question)}
    shown = re.findall(r'`(\{"type":.*?\})`', PAGE)
    assert {re.findall(r'"type":"([a-z-]+)"', text)[0] for text in shown} <= tags
    with serving(tmp_path) as engine:
        for text in shown:
            if "..." not in text and '"ask"' not in text:
                assert "error" not in asked(engine.ready["control"], text), text
        assert "error" in asked(engine.ready["control"], '{"type":"nothing"}')
