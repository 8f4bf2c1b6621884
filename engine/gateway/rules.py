"""`[gateway]`: how patiently requests are sent."""

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]


class GatewayRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Durations are seconds."""

    timeout: Seconds = 10.0
    """An answer that takes longer counts as unknown."""
    backoff: Seconds = 0.25
    """Pause before a request that provably never left is tried again; doubles up to `backoff_max`."""
    backoff_max: Seconds = 15.0
    """Longest pause."""
    backoff_exits: Seconds = 2.0
    """The same for what protects: exits, stops, cancels, and all that a flatten sends."""
    jitter: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """Share of a pause that is drawn at random."""
    breaker: Annotated[int, Meta(ge=1)] = 5
    """Failures in a row that open the breaker: entries are refused, exits go on and probe."""
    delay: Annotated[float, Meta(ge=0)] = 0.5
    """How much longer one request may be on its way than the next: the venue's limits are kept as if so much less had drained."""
    in_flight: Annotated[int, Meta(ge=1)] = 64
    """Requests on the line at once; exits may exceed it."""
