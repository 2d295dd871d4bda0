"""The pages of comms."""
