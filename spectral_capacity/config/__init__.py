"""The whole configuration, checked before any job starts, and the plan of what it will take.

May import everything else.
"""
