#!/usr/bin/env python3
"""A throw-away PostgreSQL cluster on a unix socket, for tests.

    postgres.py serve            prints the URL, runs until its standard input ends
    postgres.py run COMMAND...   runs the command with DATABASE_URL_TEST set, ends with its status

A cluster that DATABASE_URL_TEST already names is used as it is, so that one serves a whole run. initdb refuses the
super-user, so for root the cluster belongs to the user `postgres`. fsync stays on, as in life. As a module:

    with postgres.Cluster() as cluster: ... cluster.url, cluster.new_database(), cluster.stop("immediate"), cluster.start()
"""

import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import uuid


class Cluster:
    def __init__(self, settings=()):
        self.settings = list(settings)
        self.folder = None
        self.url = None
        self.owner = []

    def __enter__(self):
        given = os.environ.get("DATABASE_URL_TEST")
        if given:
            self.url = given
            return self
        try:
            self._create()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        if self.folder:
            self.stop("fast")
            self.remove()

    def _create(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        if not found:
            raise FileNotFoundError("PostgreSQL's server programs are not installed (Debian: postgresql)")
        self.programs = found[-1]
        self.folder = tempfile.mkdtemp(prefix="chancery-pg-")
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.owner = ["runuser", "-u", "postgres", "--"]
        self.data = os.path.join(self.folder, "data")
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                  "--pgdata", self.data)
        os.chmod(self.folder, 0o755)  # the socket stands here; tests may run as another user
        self.url = f"postgresql://postgres@/postgres?host={urllib.parse.quote(self.folder, safe='')}"

    def _run(self, program, *arguments):
        done = subprocess.run([*self.owner, os.path.join(self.programs, program), *arguments], cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")
        return done.stdout

    def start(self):
        options = ["-c listen_addresses=''", f"-c unix_socket_directories={self.folder}", "-c max_connections=100",
                   "-c shared_buffers=64MB", *(f"-c {setting}" for setting in self.settings)]
        self._run("pg_ctl", "--pgdata", self.data, "--wait", "--silent", "--log", os.path.join(self.folder, "log"),
                  "--options", " ".join(options), "start")

    def stop(self, mode="fast"):
        """fast, or immediate: as if it had crashed."""
        try:
            self._run("pg_ctl", "--pgdata", self.data, "--wait", "--silent", "--mode", mode, "stop")
        except RuntimeError as error:
            print(error, file=sys.stderr)

    def remove(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def new_database(self):
        """The URL of a new, empty database; dropped with the cluster."""
        name = "test_" + uuid.uuid4().hex
        subprocess.run(["psql", "--quiet", "--no-psqlrc", "--dbname", self.url, "--command", f"CREATE DATABASE {name}"],
                       stdin=subprocess.DEVNULL, check=True)
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit(parts._replace(path="/" + name))


def main(arguments):
    if arguments == ["serve"]:
        with Cluster() as cluster:
            print(cluster.url, flush=True)
            sys.stdin.read()
        return 0
    if len(arguments) > 1 and arguments[0] == "run":
        with Cluster() as cluster:
            return subprocess.run(arguments[1:], env={**os.environ, "DATABASE_URL_TEST": cluster.url}, check=False).returncode
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
