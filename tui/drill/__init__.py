"""The console of a drill: a line with the goal and the time, a briefing before, the grade after.

`screen` is what it has beside the ordinary screen, `sheets` are the briefing and the grade, and
`telling` says a grade in words, for the sheet, the list and the report.
"""
