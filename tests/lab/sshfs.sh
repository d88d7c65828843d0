#!/bin/bash
# sshfs.sh server | client FOLDER: on a host of hosts.sh. The export is a folder on srv, reached by its sshd.
# MODE=default: listings and sizes up to 20 s old; MODE=strict: nothing is kept.
set -e
. "$(dirname "$0")/noted.sh"
OPTIONS=IdentityFile=$HOSTS/key,UserKnownHostsFile=$HOSTS/known_hosts,StrictHostKeyChecking=yes
OPTIONS=$OPTIONS,reconnect,ServerAliveInterval=3,ServerAliveCountMax=2,ConnectTimeout=5
[ "${MODE:-default}" = default ] || OPTIONS=$OPTIONS,dir_cache=no,entry_timeout=0,negative_timeout=0,attr_timeout=0
case $1 in
    server) mkdir -p "$BASE/export" ;;
    client)
        mkdir -p "$2"
        sshfs -o "$OPTIONS" "root@srv:$BASE/export" "$2"
        until_so 10 mountpoint -q "$2" ;;
esac
