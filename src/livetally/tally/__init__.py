"""Stage 4: Spark aggregates the votes into every view, in one pass."""
