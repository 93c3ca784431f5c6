"""Pages for people: what was run and what was found, in HTML that needs nothing beside it.

They take the results that are named to them, import no figure and read no configuration.
"""
