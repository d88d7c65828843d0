"""What the file system of a spool really does, measured through one mount or through two, and what follows from it."""
