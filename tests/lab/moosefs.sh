#!/bin/bash
# moosefs.sh server | client FOLDER: on a host of hosts.sh. A coherent file system: what one client does all see at once.
set -e
. "$(dirname "$0")/noted.sh"
FOLDER=$BASE/moosefs
SERVER=$(address srv)
case $1 in
    server)
        rm -rf "$FOLDER" # of an earlier lab: a chunk server serves no other master
        mkdir -p "$FOLDER/master" "$FOLDER/chunkserver" "$FOLDER/disk"
        printf 'MFSM NEW' > "$FOLDER/master/metadata.mfs"
        printf '* / rw,alldirs,admin,maproot=0:0\n* . rw\n' > "$FOLDER/exports.cfg"
        : > "$FOLDER/topology.cfg"
        echo "$FOLDER/disk" > "$FOLDER/hdd.cfg"
        cat > "$FOLDER/master.cfg" <<C
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $FOLDER/master
EXPORTS_FILENAME = $FOLDER/exports.cfg
TOPOLOGY_FILENAME = $FOLDER/topology.cfg
MATOML_LISTEN_HOST = $SERVER
MATOCS_LISTEN_HOST = $SERVER
MATOCL_LISTEN_HOST = $SERVER
LOCK_MEMORY = 0
C
        cat > "$FOLDER/chunkserver.cfg" <<C
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $FOLDER/chunkserver
HDD_CONF_FILENAME = $FOLDER/hdd.cfg
HDD_FSYNC_BEFORE_CLOSE = 0
MASTER_HOST = $SERVER
BIND_HOST = $SERVER
CSSERV_LISTEN_HOST = $SERVER
MASTER_RECONNECTION_DELAY = 1
C
        mfsmaster -c "$FOLDER/master.cfg" start
        mfschunkserver -c "$FOLDER/chunkserver.cfg" start ;;
    client)
        mkdir -p "$2"
        mfsmount "$2" -H "$SERVER" -o mfsioretries=3,mfstimeout=5
        until_so 10 mountpoint -q "$2"
        # the chunk server needs some seconds to be known; before that every write says ENOSPC
        until_so 40 bash -c "[ \$(stat -f -c %b $2) -gt 0 ] && echo x > $2/.ready.\$HOSTNAME" ;;
esac
