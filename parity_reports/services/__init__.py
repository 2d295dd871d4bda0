"""What parity reports do: the only code that writes."""
