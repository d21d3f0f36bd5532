"""What each reader sees of an auction: standing, frames, hints and plain words."""
