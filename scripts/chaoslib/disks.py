"""A file system of its own for each node, in a file: it can be filled and frozen. Needs root."""

import contextlib
import os
import subprocess

DISK_MEGABYTES = 400
# What a node's own messages may still need.
MARGIN_BYTES = 64 << 10


class DiskError(Exception):
    """The disks do not obey."""


class LoopDisks:
    def __init__(self, cluster):
        self.mounts = {}
        for id in cluster.ids:
            image = f"{cluster.directory}/{id}.disk"
            with open(image, "wb") as file:
                file.truncate(DISK_MEGABYTES << 20)
            os.makedirs(cluster.data(id), exist_ok=True)
            self.call("mkfs.ext4", "-q", "-m", "0", image)
            self.call("mount", "-o", "loop", image, cluster.data(id))
            self.mounts[id] = cluster.data(id)
            # A new file system has this, and a node's directory has nothing that is not the node's.
            os.rmdir(f"{self.mounts[id]}/lost+found")

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DiskError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")

    def filler(self, id):
        return f"{self.mounts[id]}/.filler"

    def fill(self, id, left):
        """Leaves so many bytes, about."""
        free = os.statvfs(self.mounts[id])
        size = max(0, free.f_bavail * free.f_frsize - left)
        with open(self.filler(id), "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, size))
        free = os.statvfs(self.mounts[id])
        return free.f_bavail * free.f_frsize

    def free(self, id):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.filler(id))

    @contextlib.contextmanager
    def frozen(self, id):
        """Whoever writes there waits."""
        self.call("fsfreeze", "--freeze", self.mounts[id])
        try:
            yield
        finally:
            self.call("fsfreeze", "--unfreeze", self.mounts[id])

    def clear(self, id):
        """Everything a node had there."""
        for name in os.listdir(self.mounts[id]):
            self.call("rm", "-rf", f"{self.mounts[id]}/{name}")

    def close(self):
        for mount in self.mounts.values():
            self.call("umount", mount)
