"""What was said, kept in one SQLite file on this laptop."""
