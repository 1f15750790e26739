"""One transformer with many heads: sentence vectors, classes of texts, spans in them.

Runs ONNX graphs that training/encoder/ makes; knows neither documents nor what a label is good for.
"""

from dragtor.encoder.heads import Head, HeadSet
from dragtor.encoder.model import Encoder
from dragtor.encoder.reader import HeadReader

__all__ = ["Encoder", "Head", "HeadReader", "HeadSet"]
