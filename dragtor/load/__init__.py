"""Sources become Documents: one file a kind of source, found through `registry`, alike by `base`.

`markdown` and `html` turn markup into a Document's plain text. Import the file that you need: this
one imports nothing.
"""
