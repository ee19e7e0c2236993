"""Stage 5: a page that draws what the tally says."""
