"""Jobs: what they are, their queue, and what runs them."""
