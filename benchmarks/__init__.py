"""What HeyGem costs. Start with ``python -m benchmarks``; no other part of the project imports this one."""
