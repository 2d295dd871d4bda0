"""How dates and moments are written where Django writes them: the pages of the admin."""
