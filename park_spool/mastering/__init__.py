"""The master: what `park up` keeps running on all hosts of a hosts file, and how it is stopped again."""
