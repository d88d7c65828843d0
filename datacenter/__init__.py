"""The data centre: it fetches each file of a remote source once, keeps it by its digest, and serves it to all nodes."""
