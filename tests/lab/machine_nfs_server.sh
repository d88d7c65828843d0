# On machine u0: the kernel's own NFS server, versions 3 and 4, on an ext4 image.
modprobe nfsd
mkdir -p /mnt/export
mount /dev/ubda /mnt/export || exit 1
chmod 1777 /mnt/export
mount -t tmpfs tmpfs /var/lib/nfs
mkdir -p /var/lib/nfs/{sm,sm.bak,v4recovery,rpc_pipefs}
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t nfsd nfsd /proc/fs/nfsd
rpcbind -w
rpc.statd --no-notify
echo 10 > /proc/fs/nfsd/nfsv4leasetime
echo 10 > /proc/fs/nfsd/nfsv4gracetime
exportfs -o rw,no_root_squash,fsid=0,no_subtree_check,insecure,async '*:/mnt/export' || exit 1
rpc.mountd
rpc.nfsd 8
echo ready
while :; do sleep 1000; done
