"""What others may read of entitlements."""
