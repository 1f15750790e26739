"""Training of an encoder with heads: tasks from files, one shared transformer, one ONNX graph.

What it makes is run by dragtor/encoder/, which needs no torch.
"""
