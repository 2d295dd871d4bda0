"""The demo: real counterparts on loopback, and the people who use them."""
