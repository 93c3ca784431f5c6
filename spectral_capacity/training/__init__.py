"""Steps of one memory, and a cell of many of them, with checkpoints and diagnostics.

May import ``optimizers`` and what stands before it.
"""
