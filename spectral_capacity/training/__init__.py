"""Training, read from ``cell``: its ``run``s, their ``steps``, and the ``observation`` after each step.

Beside it: ``checkpoints``, and what ``diagnostics`` and ``response`` compute of a gradient and of a memory.
May import ``optimizers`` and what stands before it.
"""
