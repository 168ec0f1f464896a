"""
The version of signicat-express-client, in one place.
"""

__version__ = "0.1.0"
