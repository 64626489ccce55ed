"""Networks: layers and forward() only. No files, no pre- or post-processing."""
