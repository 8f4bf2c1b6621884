"""Drills: a paper session with a scripted emergency against the person at the keys, and a grade by
the venue's own truth.

Each drill is a file of this folder. Read `drill` (what it says), `world` (the session in which it
happens), `venue` (what goes wrong there), `judge` (what was true at the venue, and when) and
`grade` (what that is worth); `results` keeps what came of it.
"""
