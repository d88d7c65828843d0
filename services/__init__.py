"""The services and reducers that come along: a folder each with a `service.toml`; reducers are in `reduce/`.

Folders for the registry, not a library: a service runs in a child process, imports nothing of the core, and
its modules find each other in their own folder.  This file is here so that an install carries them.
"""
