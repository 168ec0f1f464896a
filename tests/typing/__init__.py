"""
What type checkers make of a user's program.
"""
