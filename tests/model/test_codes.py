"""Codes stand once, as members of an enumeration: what is written down is the value."""

import ast
import re
from enum import StrEnum
from pathlib import Path

from msgspec import json

import engine
from engine.model.alert import ALERTS, Alert
from engine.model.codes import AlertCode, BlockCode, RefusalCode
from engine.model.refusal import REFUSALS, Refusal

KINDS: tuple[type[StrEnum], ...] = (AlertCode, BlockCode, RefusalCode)
OURS = {str(code) for kind in KINDS for code in kind}
TOP = Path(engine.__file__).parent
ELSEWHERE = ("exchange", "wire", "market", "journal", "grammar", "records")
"""Rooms whose words in capitals are others (SQL, an exchange's protocol, a state of protection)."""
MODES = {"HALTED"}
"""A mode of the desk that is called as the code is."""


def test_each_code_has_its_words() -> None:
    assert set(REFUSALS) == set(RefusalCode)
    assert set(ALERTS) == set(AlertCode)


def test_a_code_is_written_as_its_name() -> None:
    for kind in KINDS:
        for code in kind:
            assert code.name == code.value
            assert json.encode({code: [code]}) == f'{{"{code.name}":["{code.name}"]}}'.encode()
    alert = Alert(AlertCode.NAKED, "a", "b", 1)
    assert json.decode(json.encode(alert), type=Alert) == alert
    assert alert.key == "NAKED:a"
    assert Refusal(RefusalCode.HALTED) == Refusal("HALTED")


def test_no_code_is_typed_a_second_time() -> None:
    wrong = []
    for path in sorted(TOP.rglob("*.py")):
        room = path.relative_to(TOP).parts[0]
        if room in ELSEWHERE or path.name in ("codes.py", "__init__.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            begun = re.fullmatch(r"([A-Z_]{4,}):", node.value)
            code = begun[1] if begun else node.value
            if code in OURS - MODES:
                wrong.append(f"{path.relative_to(TOP)}:{node.lineno} {node.value!r}")
    assert not wrong, "say it with engine.model.codes:\n" + "\n".join(wrong)
