"""Publishing what was checked."""
