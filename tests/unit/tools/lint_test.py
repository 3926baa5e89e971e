#!/usr/bin/env python3
"""Every rule of tools/lint flags its bad example and lets the good one pass."""

import importlib.machinery
import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True


def load_lint():
    loader = importlib.machinery.SourceFileLoader("lint", str(ROOT / "tools" / "lint"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
    loader.exec_module(module)
    return module


lint = load_lint()

DECLARATION = "Async<> save(int x);\nTask<void> nap();\nTask<> close();\nAsync<> close();\n"


def body(lines):
    return "  f();\n" * lines


# rule, path, a text that is flagged, a text that is not
CASES = [
    ("line-length", "core/a.cpp", "x" * 101 + "\n", "x" * 100 + "\n"),
    ("line-length", "core/CMakeLists.txt", "x" * 101 + "\n", "x\n"),
    ("file-length", "core/a.cpp", "\n" * 401, "\n" * 400),
    ("tab", "core/a.cpp", "\tint a;\n", "  int a;\n"),
    ("trailing-blank", "docs/a.md", "text \n", "text\n"),
    ("last-newline", "docs/a.md", "text", "text\n"),
    ("todo", "core/a.cpp", "// TODO fix this\n", "// TODO: when GCC 13 is required\n"),
    ("todo", "core/a.cpp", "// FIXME\n", "// fixed\n"),
    ("foreign-word", "docs/a.md", "see /work/main\n", "see https://x/work/main and build/work/\n"),
    ("foreign-word", "docs/a.md", "in /home/anna\n", "in $HOME/anna\n"),
    ("foreign-word", "tools/a", "pip install -i https://pypi.org/simple\n", "from PyPI\n"),
    ("foreign-word", "docs/a.md", "written by a sub-agent\n", "a session of HTTP/2\n"),
    ("odd-wording", "core/a.cpp", 'text = "cannot sumbmit.";\n', 'text = "cannot submit.";\n'),
    ("odd-wording", "net/a.cpp", 'text = "unkown result";\n', 'text = "unknown result";\n'),
    ("odd-wording", "core/a.cpp", 'text = "no such an url ";\n', 'text = "no such url";\n'),
    ("layer", "core/base/src/a.cpp", "#include <concerto/engine/x.hpp>\n",
     "#include <concerto/base/x.hpp>\n"),
    ("layer", "core/engine/src/a.cpp", "#include <concerto/transport/x.hpp>\n",
     "#include <concerto/base/x.hpp>\n"),
    ("layer", "core/engine/src/a.cpp", "#include <boost/asio/ip/tcp.hpp>\n",
     "#include <boost/asio/post.hpp>\n"),
    ("layer", "core/engine/src/a.cpp", "#include <boost/beast/http.hpp>\n",
     "#include <string>\n"),
    ("layer", "core/engine/src/a.cpp", "#include <leveldb/db.h>\n", "// leveldb/db.h\n"),
    ("layer", "core/engine/src/a.cpp", "#include <nghttp2/nghttp2.h>\n", "int nghttp2;\n"),
    ("layer", "core/engine/src/a.cpp", '#include "dtmgimp.pb.h"\n', '#include "dtm.hpp"\n'),
    ("layer", "core/engine/src/a.cpp", "auto t = std::chrono::system_clock::now();\n",
     "// not system_clock::now\nauto t = clock.wall_now();\n"),
    ("layer", "core/base/src/a.cpp", "#include <boost/json.hpp>\n",
     "#include <boost/json/serialize.hpp>\n"),
    ("layer", "net/protocol/src/a.cpp", "#include <boost/json/parse.hpp>\n",
     "#include <boost/json/object.hpp>\n"),
    ("layer", "net/transport/src/a.cpp", "#include <concerto/engine/x.hpp>\n",
     "#include <concerto/base/x.hpp>\n"),
    ("layer", "net/transport/include/concerto/transport/a.hpp",
     "#pragma once\n#include <concerto/protocol/x.hpp>\n",
     "#pragma once\n#include <concerto/transport/x.hpp>\n"),
    ("layer", "net/protocol/src/a.cpp", "#include <concerto/persist/x.hpp>\n",
     "#include <concerto/engine/x.hpp>\n"),
    ("layer", "persist/src/a.cpp", "#include <concerto/transport/x.hpp>\n",
     "#include <leveldb/db.h>\n"),
    ("layer", "core/engine/CMakeLists.txt",
     "target_link_libraries(concerto_core PUBLIC concerto::protocol)\n",
     "target_link_libraries(concerto_core PUBLIC concerto::base) # not concerto::protocol\n"),
    ("layer", "net/transport/CMakeLists.txt",
     "target_link_libraries(concerto_transport PUBLIC concerto::core)\n",
     "target_link_libraries(concerto_transport PUBLIC concerto::base)\n"),
    ("layer", "net/protocol/CMakeLists.txt",
     "target_link_libraries(concerto_protocol PUBLIC leveldb)\n",
     "target_link_libraries(concerto_protocol PUBLIC concerto::core)\n"),
    ("pragma-once", "core/a.hpp", "#include <string>\n", "// A note.\n#pragma once\n"),
    ("detached", "net/transport/src/a.cpp", "co_spawn(io, f(), asio::detached);\n",
     "// asio::detached\n"),
    ("detached", "bench/a.cpp", "#include <boost/asio/detached.hpp>\n", "int detached;\n"),
    ("function-length", "core/a.cpp", "void f(int a) {\n" + body(60) + "}\n",
     "void f(int a) {\n" + body(59) + "}\n"),
    ("function-length", "core/a.cpp", "A::A(int a) : a_{a} {\n" + body(60) + "}\n",
     "namespace a {\n" + body(80) + "}\n"),
    ("function-length", "core/a.cpp", "auto f() const -> int {\n  if (x) {\n" + body(60) + "}\n}\n",
     "const int table[] = {\n" + "  1,\n" * 80 + "};\n"),
    ("dropped-result", "core/a.cpp", DECLARATION + "Async<> f() {\n  co_await save(1);\n}\n",
     DECLARATION + "Async<> f() {\n  auto x = co_await save(1);\n  co_await nap();\n}\n"),
    ("dropped-result", "core/a.cpp", DECLARATION + "f() { if (x) co_await a.b(g()).save({1}); }\n",
     DECLARATION + "f() { ignore_error(co_await save(1), \"why\"); co_await a.save(1).nap(); }\n"),
    ("dropped-result", "core/a.cpp", DECLARATION + "f() { g(); co_await store_->save(h(2)); }\n",
     DECLARATION + "f() { co_await close(); }\n"),
    ("lambda-coroutine", "core/a.cpp", "auto f = [&x](int a) -> Task<> { co_await x; };\n",
     "auto f = [](int a) -> Task<> { co_await x; };\n"),
    ("lambda-coroutine", "core/a.cpp", "spawn([this] { co_return; });\n",
     "spawn([this] { return [](int) -> Task<> { co_return; }(1); });\n"),
    ("throwing", "persist/src/a.cpp", "if (fs::exists(path)) return;\n",
     "std::error_code failed;\nif (fs::exists(path, failed)) return;\n"),
    ("throwing", "tools/a.cpp", "std::filesystem::copy(a, f(b, c));\n",
     "std::error_code none;\nstd::filesystem::copy(a, f(b, c), none);\n"),
    ("throwing", "tools/a.cpp", "for (auto& entry : fs::directory_iterator(path, failed)) {}\n",
     "fs::directory_iterator at(path, failed);\nat.increment(failed);\n"),
    ("throwing", "tools/a.cpp", "fs::directory_iterator at(path);\n",
     "fs::directory_iterator at(path, failed);\n"),
    ("throwing", "persist/src/a.cpp", "if (entry.is_directory()) return;\n",
     "if (entry.is_directory(failed)) return;\n"),
    ("throwing", "net/transport/src/a.cpp", "int port = std::stoi(text);\n",
     "// std::stoi(text)\nstd::from_chars(begin, end, port);\n"),
    ("throwing", "persist/src/a.cpp", "std::random_device device;\n", "::getrandom(key, 16, 0);\n"),
    ("throwing", "tools/a.cpp", "thread_ = std::thread([this] { run(); });\n",
     "std::thread thread_;\nreturn start_thread(thread_, \"that runs\", f);\n"),
    ("throwing", "net/transport/src/a.cpp", "auto at = asio::ip::make_address(host);\n",
     "auto at = asio::ip::make_address(host, not_one);\n"),
    ("throwing", "core/engine/src/a.cpp", "auto value = json::parse(text.substr(1, 2));\n",
     "auto value = json::parse(text.substr(1, 2), failed);\n"),
    ("throwing", "net/transport/src/a.cpp", "auto at = boost::lexical_cast<int>(text);\n",
     "int lexical_cast;\n"),
    ("coverage", "docs/compatibility.md", "| what | covered by |\n| --- | --- |\n| a | `A.B` |\n",
     "| what | why |\n| --- | --- |\n| a | `A.B` |\n"),
    ("coverage", "docs/guarantees.md", "It holds (`Suite.Fact`).\n", "It holds (`tests/sim`).\n"),
    ("coverage", "net/protocol/proto/dtmgimp.proto",
     "service Dtm {\n  rpc NewGid(Empty)", "// no rpc\n"),
    ("coverage", "net/protocol/src/api/route_table.cpp",
     '{"/api/x", "GET", "", "", reads, anyone, any_page, f},\n', "// no row\n"),
    ("page", "core/a.cpp", "// See page 05, section 2.\n", "// See page 5 of 10.\n"),
    ("glossary", "docs/glossary.md", "| Word | In the code |\n| --- | --- |\n| a | `A::b` |\n",
     "| Word | Not |\n| --- | --- |\n| a | `b` |\n"),
    ("top-level", "third_party/a.c", "int a;\n", None),
    ("readme", "net/transport/src/http/a.cpp", "int a;\n", None),
    ("decision", "docs/decisions/0001-a.md", "# A\n", "# A\n\nThink again when B ends.\n"),
    ("executable", "bench/a.py", "#!/usr/bin/env python3\n", "import a\n"),
    ("format", "core/a.cpp", "int  a ;\n", "int a;\n"),
]


class LintTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            return lint.check(root)

    def rules_that_flag(self, path, text):
        files = {path: text, ".clang-format": (ROOT / ".clang-format").read_text()}
        return {f.rule for f in self.findings(files) if f.path.startswith(path.split("/")[0])
                and not f.warning}

    def test_bad_examples_are_flagged(self):
        for rule, path, bad, _ in CASES:
            with self.subTest(rule=rule, text=bad[:60]):
                self.assertIn(rule, self.rules_that_flag(path, bad))

    def test_good_examples_pass(self):
        for rule, path, _, good in CASES:
            if good is not None:
                with self.subTest(rule=rule, text=good[:60]):
                    self.assertNotIn(rule, self.rules_that_flag(path, good))

    def test_every_rule_has_an_example(self):
        flagging = set()
        for _, path, bad, _ in CASES:
            with tempfile.TemporaryDirectory() as directory:
                file = Path(directory) / path
                file.parent.mkdir(parents=True)
                file.write_text(bad, encoding="utf-8")
                (Path(directory) / ".clang-format").write_text("BasedOnStyle: Google\n")
                tree = lint.Tree(directory)
                flagging |= {r for r in lint.FILE_RULES for s in tree.sources if any(r(s))}
                flagging |= {r for r in lint.TREE_RULES if any(r(tree))}
        self.assertEqual(flagging, set(lint.FILE_RULES + lint.TREE_RULES))

    def test_a_readme_satisfies_its_directory_alone(self):
        found = self.findings({"core/README.md": "# Core\n", "core/engine/src/a.cpp": "int a;\n"})
        readmes = {f.path for f in found if f.rule == "readme"}
        self.assertIn("core/engine/src/README.md", readmes)
        self.assertNotIn("core/README.md", readmes)

    def test_lines_are_counted_from_one(self):
        found = self.findings({"core/a.cpp": "int a;\n\tint b;\n"})
        self.assertIn(("tab", 2), {(f.rule, f.line) for f in found})

    def test_ignored_files_are_not_read(self):
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["git", "init", "-q", directory], check=True)
            (Path(directory) / ".gitignore").write_text("/build/\n")
            (Path(directory) / "build").mkdir()
            (Path(directory) / "build" / "a.cpp").write_text("\t\n")
            self.assertFalse([f for f in lint.check(directory) if f.path.startswith("build")])


if __name__ == "__main__":
    unittest.main()
