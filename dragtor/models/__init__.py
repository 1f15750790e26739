"""Model weights: the catalogue, what is on the disk, and how it gets there.

Bytes count, not who serves them: everything pulled must have the official hash. Knows nothing
of what the weights are good for.
"""

from __future__ import annotations

from dragtor.models.catalogue import Catalogue, Mirror, ModelFile, ModelSpec
from dragtor.models.disk import (
    Installed,
    installed,
    known_states,
    model_folder,
    model_path,
    remove,
    verify,
)
from dragtor.models.fetch import pull

__all__ = [
    "Catalogue",
    "Installed",
    "Mirror",
    "ModelFile",
    "ModelSpec",
    "installed",
    "known_states",
    "model_folder",
    "model_path",
    "pull",
    "remove",
    "verify",
]
