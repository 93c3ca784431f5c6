"""Files: written whole or not at all, read back, with their provenance and logs; no science.

May import ``theory`` and what stands before it.
"""
