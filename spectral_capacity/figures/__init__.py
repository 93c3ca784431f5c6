"""A module a figure: what it shows, what it needs, how it is drawn; its docstring is its caption.

A figure is called as its module and has, as literals, which the configuration reads without importing it:

- its docstring, RST: the caption in the report; the first sentence says by itself what the figure is;
- ``KIND``: the kind of experiments that it draws;
- ``THEME``: what it stands under in the page of results;
- ``SHOWS``: the experiment that it shows unless told otherwise, or {role: experiment} for several, or None
  where it is drawn only when the configuration names one;
- ``NEEDS``: what its experiments must have, in words of that kind;
- if need be ``TITLE``, in place of its name; ``OPTION_NEEDS``, {option: {value: need}}; and ``DIFFERENT``,
  groups of options, (("x", "lines", "panels"),), no two of which may have the same value, unless it is None;

and ``plot(grid, fits, *, finite_size=True, …) -> Figure``, which draws one grid and its fits, or lists of
them in the order of the roles. Other keyword arguments are keys of the figure in the configuration: their
annotations are made of ``Literal``, ``Annotated``, ``doc`` and built-in types, their defaults are literals.
A list has different values, one or more: the configuration takes no other.
What several figures share is in ``parts``; no figure imports another.

May import ``analysis`` and what stands before it.
"""
