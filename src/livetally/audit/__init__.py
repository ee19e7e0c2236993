"""Do ballots, ledger, votes topic and tallies agree? As sets, at one cut, in bounded memory.

All of them know each vote by the partition and offset of its ballot, and all can be read in that
order. So the audit walks along the four side by side and looks at one ballot at a time. The plain
Python tally counts along the way and is held against what Spark has counted and announced.

The cut: the ballots whose votes the tally has passed. What comes behind it is on the way, not a difference.
"""
