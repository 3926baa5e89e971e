#!/usr/bin/env python3
"""What tools/run and tools/release do, with a fake cmake; and what ctest says if no tests were
built, with the real cmake."""

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True

# Notes its arguments, and is a build of three steps.
CMAKE = """#!/bin/bash
echo "$*" >> "$NOTES"
[[ $1 == --build ]] || exit 0
echo "[0/1] Re-running CMake..."
echo "[1/3] Building a.o"
echo "a warning"
echo "[2/3] Building b.o"
[[ -z ${BUILD_FAILS:-} ]] || { echo "b.cpp is wrong"; exit 1; }
echo "[3/3] Linking"
"""
CONCERTOD = '#!/bin/sh\necho "concertod $*"\n'
PACKAGED = '#!/bin/sh\n[ -z "$BROKEN" ] || exit 1\necho "packaged concertod $*"\n'
CPACK = '#!/bin/sh\necho "$SOURCE_DATE_EPOCH $CCACHE_DISABLE" > ../packages/concerto_1_all.deb\n'
SBOM = "#!/bin/sh\necho bill of $COMMIT\n"
ALL_INSTALLED = "#!/bin/sh\nprintf installed\n"


class Scripts(unittest.TestCase):
    """Copies of scripts in a tree of their own, with programs that only look like the real ones."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="concerto-test-")
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        (self.root / "tools").mkdir()
        for name in ("run", "release", "lib.sh"):
            shutil.copy(ROOT / "tools" / name, self.root / "tools")
        self.write("bin/cmake", CMAKE)
        self.write("bin/dpkg-query", ALL_INSTALLED)
        self.write("CMakeLists.txt", "project(Concerto VERSION 1.2.3 LANGUAGES CXX\n")
        self.notes = self.root / "notes"

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def git(self, *command):
        return subprocess.run(["git", "-C", self.root, "-c", "user.name=a", "-c", "user.email=a@b",
                               *command], check=True, text=True, stdout=subprocess.PIPE).stdout

    def commit_sources(self):
        self.write(".gitignore", "/build/\n/bin/\n/made/\n/notes\n")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "a")
        return self.git("rev-parse", "HEAD")


class ToolsRelease(Scripts):
    def setUp(self):
        super().setUp()
        self.write("bin/cpack", CPACK)
        self.write("tools/packaging/sbom.py", SBOM)
        self.commit = self.commit_sources()
        (self.root / "build/package").mkdir(parents=True)

    def run_it(self):
        path = f"{self.root}/bin:{os.environ['PATH']}"
        return subprocess.run([self.root / "tools/release"], text=True, check=False, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "PATH": path, "NOTES": str(self.notes)})

    def test_names_its_commit_and_sums_all_files(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        packages = self.root / "build/packages"
        self.assertEqual((packages / "COMMIT").read_text(), self.commit)
        self.assertEqual((packages / "concerto.cdx.json").read_text(), f"bill of {self.commit}")
        self.assertRegex((packages / "concerto_1_all.deb").read_text(), r"^\d+ 1\n$")
        sums = (packages / "SHA256SUMS").read_text()
        self.assertEqual({line.split()[1] for line in sums.splitlines()},
                         {"COMMIT", "concerto.cdx.json", "concerto_1_all.deb"})

    def test_refuses_a_tree_with_changes(self):
        for path in ("CMakeLists.txt", "new.cpp"):
            with self.subTest(path=path):
                self.write(path, "changed")
                done = self.run_it()
                self.assertEqual(done.returncode, 1)
                self.assertIn("this tree has changes", done.stderr)
                self.assertFalse((self.root / "build/packages").exists())
                self.git("stash", "-q", "--include-untracked")


class ToolsRun(Scripts):
    def setUp(self):
        super().setUp()
        self.build = self.root / "build" / "release"
        self.write("build/release/bin/concertod", CONCERTOD)

    def run_it(self, stderr=subprocess.PIPE, **environment):
        path = f"{self.root}/bin:{os.environ['PATH']}"
        return subprocess.run([self.root / "tools" / "run", "-v"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=stderr, timeout=60,
                              env={**os.environ, "PATH": path, "NOTES": str(self.notes),
                                   "NINJA_STATUS": "another form ", **environment})

    def make_package(self, version):
        self.write("made/usr/bin/concertod", PACKAGED)
        self.write("made/DEBIAN/control", f"""\
Package: concerto
Version: {version}
Architecture: {self.architecture()}
Maintainer: nobody <nobody@localhost>
Depends: libc6 (>= 2.36), adduser | other
Description: a test
""")
        packages = self.root / "build" / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", self.root / "made", packages],
                       check=True, stdout=subprocess.DEVNULL)

    def architecture(self):
        return subprocess.run(["dpkg", "--print-architecture"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def commit_all(self):
        """All sources, and build/packages/COMMIT as tools/release writes it."""
        (self.root / "build/packages/COMMIT").write_text(self.commit_sources())

    def assert_is_packaged(self, done):
        self.assertEqual((done.returncode, done.stdout), (0, "packaged concertod -v\n"),
                         done.stderr)
        self.assertFalse(self.notes.exists(), "cmake has run")

    def assert_is_built(self, done, why):
        self.assertEqual((done.returncode, done.stdout), (0, "concertod -v\n"), done.stderr)
        self.assertIn(why, done.stderr)

    def configured_with(self):
        return self.notes.read_text().splitlines()[0]

    def test_builds_the_programs_and_starts_one(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stdout), (0, "concertod -v\n"), done.stderr)
        built = self.notes.read_text().splitlines()[1]
        self.assertRegex(built, r"^--build \S+ --parallel \d+ --target concertod( [\w-]+)*$")
        named = re.findall(r"build/release/bin/([\w-]+)", (ROOT / "README.md").read_text())
        self.assertEqual(set(built.partition(" --target ")[2].split()), set(named))

    def test_says_how_far_it_is(self):
        lines = self.run_it().stderr.splitlines()
        self.assertEqual(lines[-2:], ["built 1 of 3", "built 3 of 3"])
        self.assertIn("a warning", (self.root / "build" / "run.log").read_text())

    def test_a_terminal_has_one_line_of_progress(self):
        ours, theirs = pty.openpty()
        done = self.run_it(stderr=theirs)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal that nobody has open any more
            while part := os.read(ours, 10_000):
                shown += part
        os.close(ours)
        shown = shown.decode()
        self.assertEqual(done.returncode, 0)
        self.assertRegex(shown, r"\rbuilt 1 of 3[^\n]*\rbuilt 2 of 3[^\n]*\rbuilt 3 of 3.*\r\n$")

    def test_a_failed_build_shows_why(self):
        done = self.run_it(BUILD_FAILS="1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("b.cpp is wrong\nerror: the build failed", done.stderr)

    def test_a_new_build_directory_has_no_tests(self):
        self.run_it()
        self.assertIn("-DCONCERTO_BUILD_TESTS=OFF", self.configured_with())

    def test_a_build_directory_with_tests_keeps_them(self):
        (self.build / "build.ninja").touch()
        self.run_it()
        self.assertNotIn("CONCERTO_BUILD_TESTS", self.configured_with())

    def test_a_package_of_this_version_needs_no_build(self):
        self.make_package("1.2.3-1")
        self.assert_is_packaged(self.run_it())

    def test_a_package_of_another_version_is_not_used(self):
        self.make_package("1.2.2-1")
        self.assert_is_built(self.run_it(), "building")

    def test_a_package_of_the_commit_is_used(self):
        self.make_package("1.2.3-1")
        self.commit_all()
        self.assert_is_packaged(self.run_it())

    def test_a_package_of_other_sources_is_not_used(self):
        self.make_package("1.2.3-1")
        self.commit_all()
        self.write("CMakeLists.txt", "project(Concerto VERSION 1.2.3 LANGUAGES CXX C\n")
        self.assert_is_built(self.run_it(), "may have other sources")
        (self.root / "build/packages/COMMIT").unlink()
        self.assert_is_built(self.run_it(), "may have other sources")

    def test_a_package_that_does_not_run_here_is_not_used(self):
        self.make_package("1.2.3-1")
        self.assert_is_built(self.run_it(BROKEN="1"), "do not run on this system")

    def test_the_time_left_is_told(self):
        for steps, text in (("1 300 4", "built 1 of 300"),
                            ("5 300 30", "built 5 of 300"),
                            ("30 300 10", "built 30 of 300, about 90 s left"),
                            ("30 300 30", "built 30 of 300, about 5 min left"),
                            ("300 300 290", "built 300 of 300")):
            done = subprocess.run(["bash", "-euo", "pipefail", "-c",
                                   f"source {self.root}/tools/lib.sh; progress_text {steps}"],
                                  text=True, check=True, stdout=subprocess.PIPE)
            self.assertEqual(done.stdout, text + "\n")


class WithoutTests(unittest.TestCase):
    def test_ctest_fails_and_says_why(self):
        with tempfile.TemporaryDirectory(prefix="concerto-test-") as build:
            subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja",
                            "-DCONCERTO_PRESET=none", "-DCONCERTO_BUILD_TESTS=OFF",
                            "-DCONCERTO_BUILD_TOOLS=OFF", "-DCONCERTO_INSTALL=OFF"],
                           check=True, stdout=subprocess.DEVNULL)
            done = subprocess.run(["ctest", "--test-dir", build], text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(re.search("CONCERTO_BUILD_TESTS is OFF", done.stdout), done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
