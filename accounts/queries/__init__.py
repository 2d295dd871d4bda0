"""What others may read of accounts."""
