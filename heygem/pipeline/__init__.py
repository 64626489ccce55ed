"""One job from files to file. Start with `render`."""
