"""What a Python program has of a spool: an executor for its functions."""
