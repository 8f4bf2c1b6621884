"""Rehearsals: the engine is run against a venue that we own, and somebody who shares no rule with it judges what it did.

Reading order: `auditor` (the judge).
"""
