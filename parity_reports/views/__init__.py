"""The pages of parity reports."""
