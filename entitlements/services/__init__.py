"""What can be done about entitlements."""
