"""What people see of a spool: who is at work, where sessions stand and how far they are, with an archive or without."""
