"""Readable convolutions, CNN models and demos: the package behind a Korean course on CNNs.

Nothing is imported here, so that a page pays only for what it uses.
"""
