"""The embedded AWS: a MiniStack process on loopback with what it lacks laid over it."""
