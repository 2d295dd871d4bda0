"""The pages of cutover."""
