"""The status page: read-only, on loopback, one archive.  See docs/web.md."""
