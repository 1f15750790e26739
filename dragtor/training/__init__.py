"""Training of the models that dragtor ships: the loop, adapters, reports; a package a model.

Nothing here is imported by inference; torch, transformers, peft, gguf and matplotlib come with the
extra `train`.
"""

TRAIN_EXTRA = "train"
