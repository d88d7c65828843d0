"""Services of the operating system: what its service manager is told, units for systemd, and lines for its journal."""
