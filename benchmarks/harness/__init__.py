"""What the benchmarks share: services of their own, an electorate, a backlog of ballots, and the accounts of what it all cost."""
