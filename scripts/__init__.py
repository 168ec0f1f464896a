"""Everything we run that is not part of the packages."""
