"""HeyGem: one recording of speech and any number of clips in; videos in which the person speaks it out."""

__version__ = "0.1.0"
