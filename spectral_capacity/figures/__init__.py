"""A module a figure: what it shows, what it needs, how it is drawn; its docstring is its caption.

May import ``analysis`` and what stands before it.
"""
