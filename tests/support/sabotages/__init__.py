"""Sabotages of the second list, a file per room. `tests.support.sabotage` imports each of them at
its end, which registers its switches.
"""
