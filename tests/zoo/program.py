"""Programs that do what they should not; `think` is the innocent one between them.  Named by `do` of the input."""

import os
import resource
import signal
import subprocess
import sys
import time

FOR_EVER = 1000.0


def think():
    with open("note", "x") as note:
        note.write("thought")
    subprocess.run(["true"], check=True)
    print("thought")


def read_nothing():
    print("has not read")  # its input stays in the pipe


def close_input():
    os.close(0)
    time.sleep(0.05)
    print("closed")


def write_for_ever():
    while True:
        os.write(1, b"x" * 65536)


def complain_for_ever():
    while True:
        os.write(2, b"x" * 65536)


def segfault():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)


def exit_with_3():
    sys.stderr.write("no such film\n")
    sys.exit(3)


def close_output_early():
    os.close(1)
    os.close(2)
    time.sleep(0.1)
    os._exit(0)


def hold_the_pipes():
    subprocess.Popen(["sleep", str(FOR_EVER)], start_new_session=True)
    print("held")


def write_garbage():
    os.write(1, b"\xff\xfe\0\0 \xed\xa0\x80 no line feed")
    os.write(2, b"\x80\0" * 10_000)


def ignore_and_hang():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    subprocess.Popen(["sleep", str(FOR_EVER)])
    while True:
        time.sleep(FOR_EVER)


def stop_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


def fork_a_bomb():
    first = os.getpid()
    for _ in range(5):
        os.fork()
    if os.getpid() != first:
        time.sleep(FOR_EVER)
    print("forked")


def daemonize():
    ready, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(0)
            os.close(1)
            os.close(2)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.write(told, b"!")
            time.sleep(FOR_EVER)
        os._exit(0)
    os.wait()
    os.read(ready, 1)
    print("daemonized")


def become_another_program():
    os.execv("/bin/sh", ["sh", "-c", "echo other >&2; exit 6"])


def kill_its_worker():
    os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)
    time.sleep(FOR_EVER)


def escape_and_kill_its_worker():
    worker = os.getppid()
    if os.fork() == 0:
        os.setsid()
        os.kill(worker, signal.SIGKILL)
        time.sleep(FOR_EVER)
    time.sleep(FOR_EVER)


def spoil_its_workers_files():
    worker = f"/proc/{os.getppid()}/fd"
    for name in os.listdir(worker):
        try:
            if "deleted" in os.readlink(f"{worker}/{name}"):
                with open(f"{worker}/{name}", "ab") as results:
                    results.write(b"garbage\n" * 1000)
        except OSError:
            continue
    print("spoilt")


def leave_read_only_folders():
    os.makedirs("deep/er/still")
    for folder in ("deep/er/still", "deep/er", "deep"):
        open(f"{folder}/file", "w").close()
        os.chmod(folder, 0o500)
    os.chmod(".", 0o500)
    print("left")


def leave_odd_names():
    os.symlink("/", "root")
    os.mkfifo("pipe")
    open(b"\xff\n", "w").close()
    os.mkdir("...")
    print("left")


def spin():
    while True:
        pass


def spin_in_children():
    for _ in range(2):
        if os.fork() == 0:
            spin()
    time.sleep(FOR_EVER)


def leak():
    hoard = []
    while True:
        hoard.append(b"x" * 1_000_000)


def allocate_at_once():
    print(len(b"x" * 600_000_000))


def leak_in_children():
    for _ in range(4):
        if os.fork() == 0:
            keep = b"x" * 80_000_000
            time.sleep(FOR_EVER)
            os._exit(len(keep))
    time.sleep(FOR_EVER)


def open_too_many():
    for _ in range(100_000):
        os.open("/dev/null", os.O_RDONLY)


def say_much():
    os.write(1, b"x" * 60_000)
    sys.stdout.write("y" * 60_000)


def leave_a_sparse_file():
    with open(os.path.join(os.environ["PARK_OUTPUT"], "sparse"), "wb") as file:
        file.truncate(2_000_000_000)
    print("left")


def leave_odd_things():
    os.chdir(os.environ["PARK_OUTPUT"])
    os.mkfifo("pipe")
    os.symlink("/etc/passwd", "link")
    os.symlink("/", "root")
    os.makedirs("a/b/c")
    open("a/b/c/empty", "w").close()
    open(b"\xff\n", "w").close()
    print("left")


def remove_the_output_folder():
    os.rmdir(os.environ["PARK_OUTPUT"])
    print("removed")


if __name__ == "__main__":
    globals()[sys.argv[1] if sys.argv[1:] else sys.stdin.read().split('"')[1]]()
