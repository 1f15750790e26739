"""Structured things out of plain language."""
