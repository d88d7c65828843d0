"""The answer as files: what stands in outbox/SID for people who have only the folder, and the notices that it is there.

gathering.py  the archive's rows ─▶ answer.py  one value ─▶ tables.py, orso.py, pictures.py, report.py ─▶ folder.py
outbox.py     tmp/… ──rename──▶ outbox/SID        at that instant it is delivered
notices.py    who is told what; mail.py and webhook.py tell
errand.py     the child process of park-reduced that does all of it
"""
