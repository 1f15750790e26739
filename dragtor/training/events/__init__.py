"""Training of the model that points at the words of events: labels, made texts, their tokens.

Its texts are public or made here; see docs/events.md.
"""
