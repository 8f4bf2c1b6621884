"""Searching for what nobody thought of: random stories of a whole engine under virtual time,
checked after every step, shrunk when they fail.
"""
