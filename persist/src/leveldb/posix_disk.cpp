#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "descriptor_reserve.hpp"
#include "disk.hpp"

namespace concerto::persist {
namespace {

// Only the store's user may read what transactions carry.
constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

class PosixFile final : public DiskFile {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<> write(std::uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_failure("cannot write", path_);
      data.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return ok();
  }

  Result<> sync() override {
    if (::fdatasync(fd_) != 0) return system_failure("cannot sync", path_);
    return ok();
  }

  Result<> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      return system_failure("cannot truncate", path_);
    }
    return ok();
  }

 private:
  int fd_;
  std::string path_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<DiskFile>> create(const std::string& path) override {
    return open_with(path, O_WRONLY | O_CREAT | O_TRUNC);
  }

  Result<std::unique_ptr<DiskFile>> open(const std::string& path) override {
    return open_with(path, O_WRONLY);
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("cannot rename", from);
    return ok();
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_failure("cannot remove", path);
    return ok();
  }

  Result<> create_dir(const std::string& path) override {
    if (::mkdir(path.c_str(), directory_mode) != 0 && errno != EEXIST) {
      return system_failure("cannot create directory", path);
    }
    return ok();
  }

  Result<> remove_dir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return system_failure("cannot remove directory", path);
    return ok();
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) {
      return system_failure("cannot look at the disk of", path);
    }
    if (info.f_blocks == 0) return make_error(Errc::not_supported, "the disk tells no size");
    return std::uint64_t{info.f_bavail} * info.f_frsize;
  }

  Result<> sync_dir(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_failure("cannot open directory", path);
    const bool synced = ::fsync(fd) == 0;
    const Error error = synced ? Error{} : system_failure("cannot sync directory", path);
    ::close(fd);
    if (!synced) return error;
    return ok();
  }

 private:
  Result<std::unique_ptr<DiskFile>> open_with(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, file_mode);
    if (fd < 0) return system_failure("cannot open", path);
    return std::unique_ptr<DiskFile>(std::make_unique<PosixFile>(fd, path));
  }
};

}  // namespace

Disk& posix_disk() {
  static PosixDisk disk;  // stateless, so that sharing it shares nothing
  return disk;
}

Error system_failure(const char* what, const std::string& path) {
  const int number = errno;
  std::string text = std::string(what) + " '" + path + "': ";
  const bool full = number == ENOSPC || number == EDQUOT;
  if (full) text += std::string(disk_full_text) + ": ";
  text += std::generic_category().message(number);
  if (number == EMFILE || number == ENFILE) return no_descriptor(text);
  return make_error(EngineErrc::store_failed, std::move(text));
}

bool lacks_space(std::string_view text) {
  return text.find(std::generic_category().message(ENOSPC)) != text.npos ||
         text.find(std::generic_category().message(EDQUOT)) != text.npos;
}

std::string parent_dir(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> replace_file(Disk& disk, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  {
    CONCERTO_TRY(const auto file, disk.create(fresh));
    CONCERTO_CHECK(file->write(0, content));
    CONCERTO_CHECK(file->sync());
  }
  CONCERTO_CHECK(disk.rename(fresh, path));
  return disk.sync_dir(parent_dir(path));
}

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_failure("cannot open", path);
  std::string content;
  Result<> done = ok();
  for (char buffer[65536];;) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) done = system_failure("cannot read", path);
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  CONCERTO_CHECK(done);
  return content;
}

}  // namespace concerto::persist
