"""What a document, a source or a person says, by topic: verbatim quotes under names.

Reads the store and is handed models; knows no command and nobody's name.
"""

from dragtor.digest.make import Digester

__all__ = ["Digester"]
