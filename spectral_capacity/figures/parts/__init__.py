"""What several figures share: style, axes, curves, and drawings that several figures are.

May import what figures may, and no figure.
"""
