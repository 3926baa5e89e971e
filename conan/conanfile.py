"""Conan 2 recipe. Dependencies are the system's (profiles/system): nothing is downloaded."""

import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class ConcertoConan(ConanFile):
    name = "concerto"
    description = "Coordinator of distributed transactions that speaks DTM's protocol"
    license = "Apache-2.0"
    topics = ("distributed-transactions", "saga", "coordinator")
    package_type = "library"
    settings = "os", "compiler", "build_type", "arch"
    options = {name: [True, False]
               for name in ("leveldb", "mysql", "postgres", "redis", "shared", "tools")}
    default_options = {"leveldb": True, "mysql": False, "postgres": False, "redis": False,
                       "shared": False, "tools": False}

    def set_version(self):
        cmake = load(self, os.path.join(self.recipe_folder, "..", "CMakeLists.txt"))
        self.version = re.search(r"project\(Concerto VERSION ([0-9.]+)", cmake).group(1)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "core/*", "docs/*", "net/*", "persist/*",
                        "tools/*", "tests/support/*.hpp"):
            copy(self, pattern, root, self.export_sources_folder)

    def requirements(self):
        # The lowest versions that the project is tested with; a profile's [platform_requires]
        # says which ones the system has.
        for library in ("boost/[>=1.81]", "openssl/[>=3]", "protobuf/[>=3.21]", "zlib/[>=1.2]",
                        "libnghttp2/[>=1.52]"):
            self.requires(library)
        if self.options.leveldb:
            self.requires("leveldb/[>=1.23]")
        if self.options.mysql:
            self.requires("mariadb-connector-c/[>=3.3]")
        if self.options.postgres:
            self.requires("libpq/[>=15]")
        if self.options.redis:
            self.requires("hiredis/[>=0.14]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self, generator="Ninja")
        toolchain.cache_variables["CONCERTO_BUILD_TESTS"] = False
        toolchain.cache_variables["CONCERTO_BUILD_TOOLS"] = bool(self.options.tools)
        # Each of them, because CMake builds a store, and the barrier for services on the same
        # database, by itself where it finds the library. (LevelDB has no barrier.)
        for store in ("leveldb", "mysql", "postgres", "redis"):
            wanted = bool(self.options.get_safe(store))
            toolchain.cache_variables[f"CONCERTO_STORE_{store.upper()}"] = wanted
            toolchain.cache_variables[f"CONCERTO_BARRIER_{store.upper()}"] = wanted
        toolchain.cache_variables["CONCERTO_BARRIER_SQLITE"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        # The package's own config file finds the dependencies again and knows the targets. Conan
        # reads the directories of components and, where there are some, no others.
        self.cpp_info.set_property("cmake_find_mode", "none")
        base = self.cpp_info.components["base"]
        base.builddirs = [os.path.join("lib", "cmake", "Concerto")]
        base.libs = ["concerto_base"]
        base.system_libs = ["boost_json", "boost_container", "boost_url", "pthread"]
        if self.options.shared:
            base.defines = ["CONCERTO_SHARED"]
        core = self.cpp_info.components["core"]
        core.libs = ["concerto_core"]
        core.requires = ["base"]
        transport = self.cpp_info.components["transport"]
        transport.libs = ["concerto_transport"]
        transport.requires = ["base"]
        transport.system_libs = ["nghttp2", "protobuf", "ssl", "crypto", "z"]
        protocol = self.cpp_info.components["protocol"]
        protocol.libs = ["concerto_protocol"]
        protocol.requires = ["core", "transport"]
        client = self.cpp_info.components["client"]
        client.libs = ["concerto_client"]
        client.requires = ["protocol"]
        persist = self.cpp_info.components["persist"]
        persist.libs = ["concerto_persist"]
        persist.requires = ["core"]
        if self.options.leveldb:
            persist.system_libs.append("leveldb")
        if self.options.mysql:
            persist.system_libs.append("mariadb")
        if self.options.postgres:
            persist.system_libs.append("pq")
        if self.options.redis:
            persist.system_libs.extend(["hiredis", "ssl", "crypto"])
