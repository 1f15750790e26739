"""Speech: sound out of files, where somebody speaks, what is said and who says it.

Gives words with times; knows nothing of documents and libraries.
"""
