"""Tasks: what clients may start, by name. Each is a few lines over the library.

Owns how arguments are checked and what is told on the way; JSON shapes are schema.py's.
"""

from __future__ import annotations

from collections.abc import Mapping

from dragtor.serve.jobs import Task

TASKS: Mapping[str, Task] = {}
