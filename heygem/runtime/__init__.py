"""What computes a network: torch, or OpenVINO on CPUs where it is installed. Knows no files of weights, no pictures."""
