"""Files by their SHA-256: the data centre's store, and each node's cache, in one layout.

    a remote's bytes ──▶ partial/KEY ──fsync, verify, rename──▶ blobs/ab/DIGEST      at that instant it is in the store
                                                                versions/ab/KEY.SEQ  what an href held, and when
    holds/SID/KEY, pins/DIGEST: kept from eviction      quarantine/: bit rot      locks/KEY: who fetches      tmp/

store.py is what others call; naming.py makes every name; partial.py fetches by pieces; taking.py takes a local file in;
holding.py, entries.py, evicting.py, verifying.py and sweeping.py are the administrator's side.
"""
