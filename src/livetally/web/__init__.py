"""The application that people and programs speak HTTP with: who may do what, elections and results, ballots.

It decides nothing about ballots: they go onto `ballots_topic` like everybody's, and *record* judges them.
"""
