"""Training of the model that points at events: labels, made texts, the loop, the adapter's file.

Nothing here is imported by inference; torch, gguf and matplotlib come with the extra `train`.
"""
