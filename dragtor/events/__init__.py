"""Calendar events out of plain language.

extract.py joins what a tuned model points at (model.py) with what its phrases mean (dates/,
when.py); ics.py writes calendar files, plan.py the sessions of an answer.
"""
