"""The store: blobs by their SHA-256, of which version of which file they are, and who holds them."""
