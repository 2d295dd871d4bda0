"""The identity map: read and judge everybody, decide, undo, take and restore checkpoints."""
