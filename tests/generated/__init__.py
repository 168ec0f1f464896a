"""
What the templates make of a document, beside what the generator makes of it on its own.
"""
