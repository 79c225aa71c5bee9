"""What the stack consists of, and how its parts belong together."""
