"""What the dashboard changes."""
