"""The same jobs on many machines: actors of Ray, each with models of its own, do what the queue claims.

The queue's SQLite file stays the only truth. Nothing outside this package knows Ray or fsspec.
"""
