"""Ballots over HTTP, and codes for those who cast them. What is decided about a ballot, *record* decides."""
