"""The nouns and their arithmetic: frozen values, no I/O, no clock, nothing of ours imported."""
