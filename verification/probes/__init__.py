"""Active clients: what a user, a browser or a build machine would do, and what came back."""
