"""Structured things out of plain language: calendar events.

events.py joins what a tuned model points at (pointer.py) with what its phrases mean (dates/,
when.py); ics.py writes calendar files. train.py makes the model's adapter, and alone needs torch.
"""
