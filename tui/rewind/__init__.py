"""A console on the past: what a journal says of a moment, looked at as if it were now.

`session` is the session that it has instead of an engine's, `screen` what it has beside the
ordinary screen: a line with the moment, and the keys that travel. Nothing here can send.
"""
