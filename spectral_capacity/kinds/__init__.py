"""Kinds of experiments: configuration, cells, grid, cost, and what figures and claims may ask of them.

May import ``figures`` and what stands before it.
"""
