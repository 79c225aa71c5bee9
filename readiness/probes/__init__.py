"""What a client of the application would do, what the field's tools say, and what came back."""
