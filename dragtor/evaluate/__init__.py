"""Measuring dragtor on anybody's data, one file per thing measured.

Each `evaluate` returns {kind, path, n, metrics, model, versions}; knows no terminal.
"""
