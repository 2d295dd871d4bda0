"""The only code that talks to the outside: one module for each system and engine."""
