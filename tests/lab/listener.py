"""Count what inotify tells of a folder: `listener.py FOLDER`; prints "ready", reads a line, prints how many events came."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Counting(FileSystemEventHandler):
    """Counts every event, whatever it is about."""

    heard = 0

    def on_any_event(self, event: FileSystemEvent) -> None:
        self.heard += event.event_type in ("created", "moved")


def main(folder: Path) -> None:
    counting, observer = Counting(), Observer()
    observer.schedule(counting, str(folder))
    observer.start()
    print("ready", flush=True)
    for _ in sys.stdin:
        time.sleep(0.2)
        print(counting.heard, flush=True)
    os._exit(0)  # a watcher of a file system that is gone may never end by itself


if __name__ == "__main__":
    main(Path(sys.argv[1]))
