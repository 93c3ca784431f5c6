"""Exponents of the theorems, finite-size predictions, Newton–Schulz polynomials: plain numbers and NumPy.

May import nothing of the package.
"""
