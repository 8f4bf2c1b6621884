"""Rehearsals: the engine is run against a venue that we own, and somebody who shares no rule with
it judges what it did.

Read `scenario` (a scripted session, repeatable to the byte), `auditor` (the judge, who imports no
rule) and `simulation` (random stories, judged after every step and shrunk when they fail).
"""
