"""What the page and its API show, as frozen values of plain JSON-able parts; made from archive, spool and heartbeats.

No HTML, no HTTP. Unless a name says otherwise times are Unix seconds and spans seconds; chisq is the plain sum.
"""
