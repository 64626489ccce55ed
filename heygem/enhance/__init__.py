"""Face enhancers. Each public module here except `base` holds one."""
