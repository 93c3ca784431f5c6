"""From a gradient to the direction that W moves in: update rules and spectral maps.

May import ``sampling`` and what stands before it.
"""
