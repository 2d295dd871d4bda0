"""What others may read of cutover."""
