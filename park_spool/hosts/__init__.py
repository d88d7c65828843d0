"""The machines of the hosts file: who they are, how they are reached, and whether they are fit to work."""
