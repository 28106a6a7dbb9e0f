"""Who has the floor: pauses, turns, interruptions and overlaps, scored on what is really spoken.

Metrics of Full-Duplex-Bench v1 (Lin et al. 2025, arXiv 2503.04721) and v1.5 (Lin et al. 2025, arXiv 2507.23159).
"""
