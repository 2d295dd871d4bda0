"""The use cases of cutover: the only code that writes its tables."""
