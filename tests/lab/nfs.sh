#!/bin/bash
# nfs.sh server | client HOST | down: after `hosts.sh up 0`. The server is a kernel of its own (u0), each client another.
# VERSION=4.2 or 3; OPTIONS: further options of the mount, such as noac,lookupcache=none
set -e
. "$(dirname "$0")/noted.sh"
VERSION=${VERSION:-4.2}
case $1 in
    server)
        rm -f "$BASE/disk"
        truncate -s 1G "$BASE/disk"
        mkfs.ext4 -q -F "$BASE/disk"
        "$HERE/machines.sh" start u0 machine_nfs_server.sh "ubd0=$BASE/disk" ;;
    client)
        export_=/
        [ "$VERSION" != 3 ] || export_=/mnt/export
        "$HERE/machines.sh" start "$2" machine_nfs_client.sh "lab_options=vers=$VERSION${OPTIONS:+,$OPTIONS}" "lab_export=$export_"
        grep -q "^$(address "$2") " "$HOSTS/known_hosts" ||
            echo "$(address "$2"),$2 $(cut -d' ' -f1,2 "$HOSTS/ctl/hostkey.pub")" >> "$HOSTS/known_hosts" ;;
    down) "$HERE/machines.sh" stop u0 u1 u2 u3 ;;
esac
