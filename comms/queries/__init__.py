"""What others may read of comms."""
