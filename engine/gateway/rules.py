"""`[gateway]`: how patiently requests are sent. Defined in the model, so that settings can be read
without a gateway.
"""

from engine.model.rules import GatewayRules

__all__ = ["GatewayRules"]
