"""Figures. Each reads grids and fits and knows nothing of how they were made."""
