"""The linear memory W: its gradient, what it recalls, its loss, and what is measured of it.

May import ``results`` and what stands before it.
"""
