"""Clients of others, unmodified, in an interpreter of their own: see `test_stock.py`."""
