"""What others may read of parity reports."""
