#!/bin/bash
# gluster.sh server | client FOLDER: on a host of hosts.sh. One brick on srv.
# MODE=default: attributes and contents up to 1 s old; MODE=strict: nothing is kept by client or kernel.
set -e
. "$(dirname "$0")/noted.sh"
FOLDER=$BASE/gluster
SERVER=$(address srv)
VOLUME=gv0
ask() { gluster --mode=script --glusterd-sock="$FOLDER/glusterd.sock" "$@"; }
case $1 in
    server)
        rm -rf "$FOLDER" # of an earlier lab
        mkdir -p "$FOLDER"/{work,brick,log,run} /var/run/gluster /var/log/glusterfs
        mount --bind "$FOLDER/log" /var/log/glusterfs
        cat > "$FOLDER/glusterd.vol" <<C
volume management
    type mgmt/glusterd
    option working-directory $FOLDER/work
    option transport-type socket
    option transport.socket.keepalive-time 10
    option transport.socket.keepalive-interval 2
    option transport.socket.read-fail-log off
    option transport.socket.bind-address $SERVER
    option transport.socket.listen-port 24007
    option ping-timeout 0
    option event-threads 1
    option max-port 60999
    option glusterd-sockfile $FOLDER/glusterd.sock
    option run-directory $FOLDER/run
end-volume
C
        glusterd -f "$FOLDER/glusterd.vol" -p "$FOLDER/glusterd.pid" -l "$FOLDER/log/glusterd.log"
        until_so 30 gluster --mode=script --glusterd-sock="$FOLDER/glusterd.sock" pool list
        ask volume create $VOLUME "$SERVER:$FOLDER/brick" force
        ask volume set $VOLUME network.ping-timeout 5
        if [ "${MODE:-default}" = strict ]; then
            for kept in stat-prefetch quick-read io-cache readdir-ahead write-behind open-behind read-ahead; do
                ask volume set $VOLUME performance.$kept off
            done
        fi
        ask volume start $VOLUME ;;
    client)
        options=()
        [ "${MODE:-default}" = default ] || options=(--entry-timeout=0 --attribute-timeout=0 --negative-timeout=0)
        mkdir -p "$2" "$FOLDER/log"
        glusterfs --volfile-server="$SERVER" --volfile-id=/$VOLUME "${options[@]}" -l "$FOLDER/log/mount-$(hostname).log" "$2"
        until_so 20 mountpoint -q "$2" ;;
esac
