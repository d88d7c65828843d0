"""Environments that run elsewhere: one in the shared folder for all nodes, or one put on a host that has none.

    what runs here ──▶ wheel ─┐
    package index, or wheels ─┴▶ making.py, on the machine itself ──▶ env ──▶ env-VERSION-DIGEST/bin/python

docs/installing.md tells people about it.
"""
