"""Sources: named places of data that the administrator set up, and the one way to bring a file from one of them here.

NAME:/PATH ─▶ paths.py  the gate ─▶ opening.py  scheme ─▶ files.py, http_source.py, sftp.py, remote_fs.py
                                                              │ facts, bytes from an offset on, names
                                    fetching.py  tries, resumes, begins anew ─▶ a partial file of the store

A session names a source and a path in it, and nothing else: which machine is asked, and below which folder,
stands in park.toml alone.
"""
