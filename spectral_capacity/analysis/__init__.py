"""From grids to exponents, breaks and verdicts on claims.

May import ``training`` and what stands before it, and imports only ``theory``, ``results``, ``sampling``.
"""
