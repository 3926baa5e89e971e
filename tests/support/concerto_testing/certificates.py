"""Certificates of a test, made with the program openssl."""

import os
import ssl
import subprocess
import time

from .suite import need_program

COMMAND_TIMEOUT_S = 30
DAY_S = 24 * 3600
CONFIG = """
[ca]
default_ca = own
[own]
database = {directory}/index.txt
serial = {directory}/serial
new_certs_dir = {directory}
certificate = {directory}/ca.pem
private_key = {directory}/ca.key
default_md = sha256
default_crl_days = 2
unique_subject = no
policy = any
copy_extensions = none
[any]
commonName = supplied
"""


class Authority:
    """Certifies, and revokes, in a directory of its own. Files have the names of what they are
    about: <name>.pem, <name>.key, and <name>.both with both."""

    def __init__(self, directory, subject="test authority"):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self._openssl = need_program("openssl", "openssl")
        for name, text in (("ca.cnf", CONFIG.format(directory=directory)), ("index.txt", ""),
                           ("serial", "1000\n")):
            with open(self.file(name), "w", encoding="ascii") as file:
                file.write(text)
        self._run("req", "-x509", *self._new_key("ca"), "-out", self.file("ca.pem"),
                  "-subj", f"/CN={subject}", "-days", "2")

    def file(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, alternative_names, begins_s=-60, ends_s=2 * DAY_S, usage=None, rsa=False):
        """Makes the certificate of a name. Its time is relative to now; `usage` is for
        extendedKeyUsage."""
        extensions = self.file(name + ".ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternative_names}\n")
            if usage:
                file.write(f"extendedKeyUsage={usage}\n")
        self._run("req", *self._new_key(name, rsa), "-out", self.file(name + ".csr"),
                  "-subj", f"/CN={name}")
        self._run("ca", "-batch", "-notext", "-config", self.file("ca.cnf"), "-in",
                  self.file(name + ".csr"), "-startdate", _moment(begins_s), "-enddate",
                  _moment(ends_s), "-extfile", extensions, "-out", self.file(name + ".pem"))
        with open(self.file(name + ".both"), "wb") as both:
            for kind in (".pem", ".key"):
                with open(self.file(name + kind), "rb") as file:
                    both.write(file.read())

    def revoke(self, *names):
        """Makes crl.pem, a list with these certificates and those that were revoked before."""
        for name in names:
            self._run("ca", "-config", self.file("ca.cnf"), "-revoke", self.file(name + ".pem"))
        self._run("ca", "-config", self.file("ca.cnf"), "-gencrl", "-out", self.file("crl.new"))
        os.replace(self.file("crl.new"), self.file("crl.pem"))

    def replace(self, name, by):
        """Puts the certificate and the key of another one in the place of these."""
        for kind in (".key", ".pem"):
            put(self.file(name + kind), self.file(by + kind))

    def context(self, shown=None):
        """A client of this authority, which shows a certificate."""
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if shown:
            context.load_cert_chain(self.file(shown + ".pem"), self.file(shown + ".key"))
        return context

    def _new_key(self, name, rsa=False):
        kind = ("rsa:2048",) if rsa else ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        return ("-newkey", *kind, "-nodes", "-keyout", self.file(name + ".key"))

    def _run(self, *arguments):
        done = subprocess.run([self._openssl, *arguments], timeout=COMMAND_TIMEOUT_S, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise AssertionError(f"openssl {' '.join(arguments)}: {done.stdout.decode()}")


def put(path, *sources):
    """Replaces a file at once, as operators should, by the contents of others."""
    with open(path + ".new", "wb") as new:
        for source in sources:
            with open(source, "rb") as file:
                new.write(file.read())
    os.replace(path + ".new", path)


def put_text(path, text):
    with open(path + ".new", "w", encoding="utf-8") as new:
        new.write(text)
    os.replace(path + ".new", path)
    return path


def _moment(seconds_from_now):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds_from_now))
