"""What a user submits: a session's XML, its values, its files and the data sets that it names."""
