"""Where a stretch of a picture's text stands, cut out of the boxes of its lines.

Owned by pictures.py, which citations need too; here for whoever works with pictures.
"""

from dragtor.pictures import box_of, line_boxes

__all__ = ["box_of", "line_boxes"]
