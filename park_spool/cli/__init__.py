"""The `park` command and what all console commands share."""
