"""From sound to what a lip engine hears. Reads no files."""
