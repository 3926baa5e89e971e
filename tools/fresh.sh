# Functions for tools/check-fresh and tools/prove, which source this file after lib.sh: a new Debian
# 12 in a directory. They need root and the network.

# The variables with which a host reaches the network. Empty ones do no harm.
passed_on=(http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY GOPROXY GONOSUMDB
           GOFLAGS PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT PIP_DEFAULT_TIMEOUT SSL_CERT_FILE)

# make_debian <directory> <packages>: packages besides those that every Debian has, with commas.
make_debian() {
  local chroot=$1 packages=$2
  say "making a Debian 12 in $chroot"
  debootstrap --variant=minbase --include="$packages" bookworm "$chroot" > "$chroot.log" 2>&1 || {
    tail -n 20 "$chroot.log" >&2
    fail "debootstrap failed"
  }
  rm -f "$chroot.log"
  chmod 755 "$chroot" # with mktemp's 700, other users, such as PostgreSQL's, could not enter
  copy_network_settings "$chroot"
}

# Gives the new machine the host's way to the network: names, mirrors, proxies and certificates.
copy_network_settings() {
  local chroot=$1 file
  cp -L /etc/resolv.conf /etc/hosts "$chroot/etc/"
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [[ -s $file ]]; then
      rm -f "$chroot/etc/apt/sources.list"
      cp "$file" "$chroot/${file#/}"
      break
    fi
  done
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
    if [[ -f $file ]]; then cp "$file" "$chroot/${file#/}"; fi
  done
  mkdir -p "$chroot/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$chroot/etc/ssl/certs/" 2> /dev/null || true
  cp -rL /usr/local/share/ca-certificates "$chroot/usr/local/share/" 2> /dev/null || true
}

# mount_inside <directory>: what programs there need of the kernel. Call it in namespaces of mounts
# and processes (`unshare --mount --pid --fork --kill-child`), which end with it.
mount_inside() {
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount --rbind /sys "$1/sys" # go-zero looks for its cgroup
}

# run_inside <directory> <bash command>
run_inside() {
  local chroot=$1 name environment=()
  for name in "${passed_on[@]}"; do
    environment+=("$name=${!name:-}")
  done
  chroot "$chroot" env -i HOME=/root TERM=dumb LANG=C.UTF-8 CI=true "${environment[@]}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "$2" < /dev/null
}

# boot_inside <directory>: makes systemd the first process of a machine that reaches no network.
# Call it in namespaces of its own (`unshare --mount --pid --uts --ipc --cgroup --net --fork
# --kill-child`).
boot_inside() {
  local machine=$1 device
  mount --bind "$machine" "$machine"
  mount -t proc proc "$machine/proc"
  mount -t sysfs sysfs "$machine/sys"
  mount -t cgroup2 cgroup2 "$machine/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$machine/run"
  mount -t tmpfs -o mode=755 tmpfs "$machine/dev"
  # Devices of its own: a machine that changed the rights of bound ones would change the host's.
  # What systemd prints on its console is not wanted.
  for device in null:3 console:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$machine/dev/${device%:*}" c 1 "${device#*:}"
  done
  mknod -m 666 "$machine/dev/tty" c 5 0
  mkdir "$machine/dev/pts" "$machine/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$machine/dev/pts"
  mount -t tmpfs tmpfs "$machine/dev/shm"
  ln -s pts/ptmx "$machine/dev/ptmx"
  ip link set lo up
  cd "$machine"
  # With chroot the machine could not make namespaces of users, as PrivateUsers= does.
  pivot_root . mnt
  umount -l /mnt
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
}
