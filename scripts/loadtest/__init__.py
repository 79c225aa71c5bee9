"""Load tests with Artillery: the profile, its cost, the run and the page about it. See README.md."""
