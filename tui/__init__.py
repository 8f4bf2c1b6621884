"""The console: a client of the engine that knows intents (what may be asked) and views (what may be
seen), and nothing else of it.
"""
