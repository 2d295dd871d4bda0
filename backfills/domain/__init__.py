"""The mapping spec and its small closed language: pure, without Django."""
