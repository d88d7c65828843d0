"""Who may look at the page and change things through it: users, log-ins, tokens, links, and what they did.

All of it is in one SQLite file of its own, beside the archive. `accounts.Accounts` is the way in; all SQL on the file
is in this folder. Several threads and processes may use it at once (park-web and `park user`).
"""
