"""An address of another machine is read strictly, and the far end of its line names no path."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli.remote import remote_of


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "FLATOUT_HOME": str(folder), "FLATOUT_SETTINGS": "/nowhere.toml"}
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", *words],
        input=b"",
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
    )


def test_an_address_becomes_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLATOUT_SSH_COMMAND", raising=False)
    found = remote_of("ssh://me@desk.example:2222/main", "flatout").command("pipe", "main")
    assert found[0] == "ssh"
    assert "BatchMode=yes" in found, "nothing asks on a screen that is ours"
    assert found[-4:] == ("-p", "2222", "me@desk.example", "flatout pipe main")
    monkeypatch.setenv("FLATOUT_SSH_COMMAND", "/usr/bin/ssh -F 'my config'")
    found = remote_of("ssh://desk/main", "/opt/my tools/flatout").command("pipe", "main")
    assert found == ("/usr/bin/ssh", "-F", "my config", "desk", "'/opt/my tools/flatout' pipe main")


@pytest.mark.parametrize(
    "address",
    [
        "ssh://-oProxyCommand=evil/main",
        "ssh://-x@desk/main",
        "ssh://me:secret@desk/main",
        "ssh://desk/",
        "ssh://desk/../other",
        "ssh://desk/$(reboot)",
        "ssh://de sk/main",
        "ssh://desk;reboot/main",
        "ssh://desk:port/main",
        "ssh:///main",
        "ssh://desk/main?x=1",
    ],
)
def test_an_address_that_is_more_than_one_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        remote_of(address, "flatout")


def test_the_far_end_of_no_engine_says_so_without_a_path(tmp_path: Path) -> None:
    told = run(tmp_path, "pipe", "main")
    assert (told.returncode, told.stdout) == (1, b"")
    assert b"no engine runs for account main" in told.stderr
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    for name in ("open", "../main", "/etc"):
        told = run(tmp_path, "pipe", name)
        assert (told.returncode, told.stdout) == (2, b"")
        assert b"folder is not only yours" in told.stderr
        assert str(tmp_path).encode() not in told.stderr
