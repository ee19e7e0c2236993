"""Stage 1: people, candidates and elections enter the system and are announced."""
