"""The desk's own settings. They are defined in the model, so that settings can be read without a
desk.
"""

from engine.model.rules import (
    Fraction,
    LadderRules,
    ProtectionRules,
    RequestRules,
    RiskRules,
    Rules,
    SymbolRules,
)

__all__ = [
    "Fraction",
    "LadderRules",
    "ProtectionRules",
    "RequestRules",
    "RiskRules",
    "Rules",
    "SymbolRules",
]
