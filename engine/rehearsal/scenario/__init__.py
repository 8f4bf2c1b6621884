"""The headless contract: a scripted session of the same engine, without a screen, repeatable to the
byte.
"""
