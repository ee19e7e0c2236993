"""Stage 2: people become ballots."""
