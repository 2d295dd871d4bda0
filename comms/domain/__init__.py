"""What comms decides, without Django."""
