"""Stage 3, the only one that decides: one vote per voter and election."""
