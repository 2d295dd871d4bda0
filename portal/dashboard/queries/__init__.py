"""What the dashboard's pages show, read from the apps below."""
