"""Use cases of accounts: the only code that writes."""
