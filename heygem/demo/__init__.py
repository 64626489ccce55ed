"""The embedded default's own footage: rendered presenters that talk, and the speech they say.

Nothing here runs when a video is made: the pictures train the bundled lip model, and the examples in `models/demo` were
made once. Knows no networks.
"""
