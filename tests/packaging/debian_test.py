"""The Debian packages: what is in them, and that they are made the same way twice.

Usage: debian_test.py <build directory>
"""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import main, need_program  # noqa: E402

EXPOSURE_MAX = 2.0
# Whose packages these are is for whoever gives them to others to say (CONCERTO_PACKAGE_CONTACT).
CONTACT_TAGS = "bogus-mail-host,bogus-mail-host-in-debian-changelog"


def run(*command, **options):
    """What the command prints on both streams. It must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Debian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program, package in (("dpkg-shlibdeps", "dpkg-dev"), ("lintian", "lintian"),
                                 ("systemd-analyze", "systemd")):
            need_program(program, package)
        cls.packages = cls.make("first")
        cls.root = os.path.join(cls.directory, "root")
        run("dpkg-deb", "--extract", cls.packages["concerto"], cls.root)
        cls.control = os.path.join(cls.directory, "control")
        run("dpkg-deb", "--control", cls.packages["concerto"], cls.control)

    @classmethod
    def make(cls, name):
        """The packages' files by the packages' names."""
        output = os.path.join(cls.directory, name)
        os.mkdir(output)
        run("cpack", "--config", os.path.join(cls.args.build, "CPackConfig.cmake"), "-B", output,
            "-D", f"CPACK_OUTPUT_FILE_PREFIX={output}",
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        files = [file for file in os.listdir(output) if file.endswith(".deb")]
        return {file.partition("_")[0]: os.path.join(output, file) for file in files}

    def test_two_of_one_build_have_the_same_bytes(self):
        again = self.make("again")
        self.assertEqual(sorted(self.packages), ["concerto", "libconcerto-dev"])
        for name, path in self.packages.items():
            with open(path, "rb") as first, open(again[name], "rb") as second:
                self.assertEqual(first.read(), second.read(), name)

    def test_files(self):
        files = {}
        for line in run("dpkg-deb", "--contents", self.packages["concerto"]).splitlines():
            mode, owner, *_, path = line.split()
            self.assertEqual(owner, "root/root", line)
            self.assertNotRegex(mode, "^.{5}w|^.{8}w", line)
            if not path.endswith("/"):
                files[path] = mode
        for program in ("concertod", "concerto", "concerto-load"):
            self.assertEqual(files[f"./usr/bin/{program}"], "-rwxr-xr-x")
        for path in ("./etc/concerto/concerto.yml", "./lib/systemd/system/concerto.service",
                     "./usr/share/doc/concerto/examples/concerto.yml",
                     "./usr/share/doc/concerto/docs/operations.md",
                     "./usr/share/man/man1/concerto.1.gz",
                     "./usr/share/man/man1/concerto-list.1.gz",
                     "./usr/share/bash-completion/completions/concerto",
                     "./usr/share/zsh/vendor-completions/_concerto",
                     "./usr/share/fish/vendor_completions.d/concerto.fish"):
            self.assertIn(path, files)
        library = run("dpkg-deb", "--contents", self.packages["libconcerto-dev"])
        for path in ("include/concerto/engine/coordinator.hpp", "libconcerto_core.a",
                     "cmake/Concerto/ConcertoConfig.cmake"):
            self.assertIn(path, library)
        self.assertNotIn("/usr/bin/", library)
        self.assertRegex(library, "(?m)^-rwxr-xr-x .*/examples/servers/run.py$")

    def test_scripts(self):
        with open(os.path.join(self.control, "conffiles"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "/etc/concerto/concerto.yml\n")
        for script in ("postinst", "prerm", "postrm"):
            path = os.path.join(self.control, script)
            self.assertTrue(os.access(path, os.X_OK), script)
            run("sh", "-n", path)

    def test_the_configuration_is_correct(self):
        program = os.path.join(self.root, "usr/bin/concertod")
        config = os.path.join(self.root, "etc/concerto/concerto.yml")
        self.assertIn("the configuration is correct",
                      run(program, "-c", config, "--check-config"))
        printed = run(program, "-c", config, "--print-config")
        self.assertIn("\nListenAddress: '127.0.0.1'\n", printed)
        self.assertIn("\n  Path: '/var/lib/concerto/store'\n", printed)

    def test_the_bill_of_materials_names_what_the_package_depends_on(self):
        program = os.path.join(HERE, "..", "..", "tools", "packaging", "sbom.py")
        bill = json.loads(run(program, self.args.build,
                              env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}))
        self.assertEqual(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z")
        parts = {part["name"]: part for part in bill["components"]}
        depends = run("dpkg-deb", "--field", self.packages["concerto"], "Depends")
        # A package that stands for spdlog with one version of fmt is only a name.
        libraries = {name.removesuffix("-fmt9") for name in re.findall(r"\blib[\w.+-]+", depends)}
        self.assertIn("libssl3", libraries)
        self.assertLessEqual(libraries | {"libboost1.81-dev", "libcli11-dev"}, set(parts))
        for name, part in parts.items():
            self.assertTrue(part["version"] and part["purl"], part)
            licence = part["licenses"][0]
            licence = licence.get("expression") or licence["license"]
            self.assertNotRegex(str(licence), "see /|not stated", name)

    def test_the_bill_of_materials_has_all_that_is_loaded(self):
        program = os.path.join(HERE, "..", "..", "tools", "packaging", "sbom.py")
        bill = json.loads(run(program, self.args.build))
        parts = {part["name"] for part in bill["components"]}
        loaded = re.findall(r" => (/\S+)", run("ldd", os.path.join(self.root, "usr/bin/concertod")))
        self.assertGreater(len(loaded), 20)
        for path in loaded:
            # dpkg may know a file by either path of Debian's link /lib -> /usr/lib.
            path = os.path.realpath(path)
            found = subprocess.run(["dpkg-query", "--search", path, path.removeprefix("/usr")],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                   check=False).stdout
            self.assertIn(found.partition(":")[0], parts, path)

    def test_programs_are_linked_as_expected(self):
        check = os.path.join(HERE, "..", "..", "tools", "packaging", "check_programs.py")
        programs = [os.path.join(self.root, "usr/bin", name)
                    for name in ("concertod", "concerto", "concerto-load")]
        self.assertIn("3 programs name only expected libraries", run(check, *programs))
        other = subprocess.run([check, "/usr/bin/python3"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(other.returncode, 1, "Python names libexpat")
        self.assertIn("names the library libexpat", other.stdout)

    def test_lintian_finds_no_error(self):
        run("lintian", "--fail-on", "error", "--suppress-tags", CONTACT_TAGS,
            *(["--allow-root"] if os.geteuid() == 0 else []), *self.packages.values())

    def test_the_service(self):
        """The unit as systemd reads it, with the program of the package."""
        unit = os.path.join(self.directory, "concerto.service")
        with open(os.path.join(self.root, "lib/systemd/system/concerto.service"),
                  encoding="utf-8") as file:
            text = file.read()
        with open(unit, "w", encoding="utf-8") as file:
            file.write(text.replace("ExecStart=/", f"ExecStart={self.root}/"))
        self.assertEqual(run("systemd-analyze", "verify", unit), "")
        rated = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
        exposure = re.search(r"Overall exposure level for concerto.service: ([\d.]+)", rated)
        self.assertLess(float(exposure[1]), EXPOSURE_MAX, rated)


if __name__ == "__main__":
    main(Debian, lambda parser: parser.add_argument("build"), __doc__)
