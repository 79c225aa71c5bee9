"""What only Pixel Prompt's stack has."""
