"""Dates and times in English text, found and resolved against a moment by rules.

`mentions` reads a text, `recurrence` a phrase as an RFC 5545 rule, `minutes` a duration. Imports
nothing else of dragtor.
"""

from dragtor.dates.quantities import minutes
from dragtor.dates.recurrences import recurrence
from dragtor.dates.resolve import Mention, Value, mentions

__all__ = ["Mention", "Value", "mentions", "minutes", "recurrence"]
