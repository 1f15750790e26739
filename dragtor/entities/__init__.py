"""Mentions of people, organisations and places -> who is meant; passages -> their topics.

Pure but for topic_tags.py, which reads a library's stored vectors.
"""
