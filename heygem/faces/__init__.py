"""Find faces, follow one through a clip, cut it out and put it back."""
