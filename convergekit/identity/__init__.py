"""Identity resolution: which aliases and events belong to one profile."""
