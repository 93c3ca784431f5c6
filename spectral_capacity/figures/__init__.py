"""A module a figure: what it shows, what it needs, how it is drawn; its docstring is its caption.

A figure is called as its module and has, as literals, which the configuration reads without importing it:

- its docstring, RST: the caption in the report; the first sentence says by itself what the figure is;
- ``KIND``: the kind of experiments that it draws;
- ``SHOWS``: the experiment that it shows unless told otherwise, or {role: experiment} for several;
- ``NEEDS``: what its experiments must have, in words of that kind;

and ``plot(grid, fits, *, finite_size=True) -> Figure``, which draws one grid and its fits, or lists of them
in the order of the roles. What several figures share is in ``parts``; no figure imports another.

May import ``analysis`` and what stands before it.
"""
