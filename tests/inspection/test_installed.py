"""A package that writes over our files is found: an environment is made, and spoilt, by hand."""

import hashlib
from base64 import urlsafe_b64encode
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from engine.inspection import installed
from engine.inspection.findings import BadError

FILES = {"engine/__init__.py": b"ours", "engine/desk/desk.py": b"rules", "themes/dark.toml": b""}
INFO = "flatout-0.1.0.dist-info"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a wheel of ours was installed."""
    lines = [f"{INFO}/RECORD,,", f"{INFO}/METADATA,,"]
    for name, body in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        digest = urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
        lines.append(f"{name},sha256={digest},{len(body)}")
    (tmp_path / INFO).mkdir()
    (tmp_path / INFO / "METADATA").write_text("Name: flatout\nVersion: 0.1.0\n")
    (tmp_path / INFO / "RECORD").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def found(place: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    found = Distribution.at(place / INFO)
    monkeypatch.setattr(installed, "distribution", lambda name: {"flatout": found}[name])
    return found


async def test_what_was_installed_is_there(found: Distribution) -> None:
    assert installed.changed(found) == []
    assert await installed.program() == "Flatout 0.1.0"


async def test_a_package_that_wrote_over_ours_is_named(place: Path, found: Distribution) -> None:
    (place / "engine/__init__.py").write_bytes(b"theirs")
    (place / "themes/dark.toml").unlink()
    assert installed.changed(found) == ["engine/__init__.py", "themes/dark.toml"]
    with pytest.raises(BadError, match=r"installed: engine/__init__\.py, themes") as bad:
        await installed.program()
    assert "an environment of its own" in bad.value.remedy


async def test_of_many_files_some_are_named(place: Path, found: Distribution) -> None:
    for name in FILES:
        (place / name).unlink()
    (place / INFO / "RECORD").write_text(
        (place / INFO / "RECORD").read_text() + "\ntui/app.py,sha256=x,1"
    )
    with pytest.raises(BadError, match=r"themes/dark\.toml and 1 more$"):
        await installed.program()
