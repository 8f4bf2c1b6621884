"""`flatout report`: one page out of a journal, whatever foreign text says, and nothing of it leaves
this machine.
"""

import re
import stat
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.account.identity import Identity, write
from engine.exchange import Faults
from engine.model import intent as i
from engine.model.secrets import remember
from tests.support.world import World, play
from tui.cli import main

D = Decimal
EVIL = "<script>alert(1)</script> ](http://evil.example/a) |x| `b` \x1b]52;c;AAAA\x07 &"
SECRET = "hunter2-the-long-secret"


class Seen(HTMLParser):
    """Which elements and attributes a page has, and the text outside of styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an account whose stop was refused, and whose notes are somebody's bad joke."""
    root = tmp_path_factory.mktemp("homes")
    folder = root / "world"
    folder.mkdir(mode=0o700)

    async def tale(world: World) -> None:
        answer = await world.buy("0.5", label="<b>x</b>")
        await world.wait(4)
        note = i.Annotate(id="n", position=answer.created, note=f"{EVIL} {SECRET}", tags=("<i>",))
        await world.ask(note)
        await world.ask(i.ClosePosition(id="tui-1", position=answer.created))
        await world.until(lambda: answer.created in world.state.closed)

    play(tale, folder, faults=Faults(reject_stop=1.0))
    known = Identity(account="world", venue="paper", profile="kraken-spot", currency="USD")
    write(folder, known)
    return root


def told(home: Path, *words: str) -> Result:
    common = ["--account", "world", "--home", str(home)]
    return CliRunner().invoke(main, [*common, "report", *words])


def test_a_page_of_html_asks_nobody_for_anything_and_obeys_no_foreign_text(
    home: Path, tmp_path: Path
) -> None:
    remember([SECRET])
    file = tmp_path / "r.html"
    result = told(home, "--output", str(file))
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    seen = Seen()
    seen.feed(text)
    assert not {"script", "img", "link", "iframe", "object", "b", "i", "use"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name in ("src", "href", "style", "onload")]
    assert "url(" not in text
    assert "@import" not in text
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in seen.attributes
    assert seen.tags.count("svg") >= 3
    assert "polygon" in seen.tags, "no fill is drawn"
    words = "".join(seen.words)
    assert "<script>alert(1)</script> ](http://evil.example/a)" in words, "told as text"
    assert "\x1b" not in text
    assert SECRET not in text
    for heading in ("Summary", "Without protection", "Alerts", "Timeline"):
        assert heading in words


def test_markdown_to_the_terminal_is_text_too(home: Path) -> None:
    remember([SECRET])
    result = told(home)
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    assert "\x1b" not in result.output
    lines = result.output.split("\n")
    outside = "\n".join(re.split(r"^```.*$", result.output, flags=re.MULTILINE)[::2])
    assert "<script>" not in outside
    assert re.search(r"(?<!\\)\]\(", outside) is None, "a link"
    assert re.search(r"https?://", outside) is None, "what some readers make a link of"
    rows = [line for line in lines if line.startswith("| ")]
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in rows if "script" in line}
    assert counts == {6}, "a foreign bar made a cell of its own"
    assert any("the venue refused the stop" in line for line in rows)
    assert any(line.startswith("| asked | 3 |") for line in rows)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nobody",), 1, "nothing is known of 'nobody': say a day"),
        (("2031-01-01",), 1, "nothing happened on 2031-01-01: the journal has 2026-01-01"),
        (("2026-02-30",), 1, "say a day (2026-12-01"),
        (("--output", "/nowhere/r.html"), 2, "/nowhere/r.html: No such file"),
        (("--format", "pdf"), 2, "'pdf' is not one of"),
    ],
)
def test_what_can_not_be_reported_is_said(
    home: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    result = told(home, *words)
    assert result.exit_code == code, result.output
    assert says in result.output


def test_an_account_without_a_journal_is_said(tmp_path: Path) -> None:
    result = told(tmp_path)
    assert result.exit_code == 2
    assert "no account is called world" in result.output


def test_a_position_is_reported_by_its_id(home: Path) -> None:
    whole = told(home, "last")
    assert whole.exit_code == 0
    found = re.search(r"position (P\w+)", whole.output)
    assert found is not None
    assert told(home, found[1]).output == whole.output
