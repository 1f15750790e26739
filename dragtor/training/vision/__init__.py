"""A vision model tuned to list the people and companies of pictures: `dragtor train entities-vlm`.

Any model of transformers that takes pictures and writes; nothing here is imported by inference.
"""
