"""Files to frames and sound, and back. Knows ffmpeg; knows no faces and no networks."""
