"""Sources become Documents: one file per kind of source (file, web), none knows another kind.

`item` is what a source lists; `markdown` and `html` turn markup into a Document's plain text.
Import the file that you need: this one imports nothing.
"""
