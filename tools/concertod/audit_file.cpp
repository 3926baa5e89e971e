#include "audit_file.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;

/// Lets other processes that append to the file wait for this one.
class FileLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) { ::flock(descriptor_, LOCK_EX); }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  const int descriptor_;
};

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

fs::path directory_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// A file's name survives a crash only if its directory is synced too.
void sync_directory(const fs::path& file) {
  const int directory = ::open(directory_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  ::fsync(directory);
  ::close(directory);
}

/// So that root's `-r` leaves a file that the service can open.
void give_to_owner_of_directory(int descriptor, const fs::path& file) {
  struct stat directory {};
  if (::geteuid() != 0 || ::stat(directory_of(file).c_str(), &directory) != 0) return;
  [[maybe_unused]] const int given = ::fchown(descriptor, directory.st_uid, directory.st_gid);
}

}  // namespace

AuditFile::AuditFile(fs::path file, const Rotation& rotation)
    : path_(std::move(file)), bytes_max_(rotation.bytes_max), asides_(path_, rotation) {}

AuditFile::~AuditFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<AuditFile>> AuditFile::open(fs::path file, const Rotation& rotation) {
  std::unique_ptr<AuditFile> opened(new AuditFile(std::move(file), rotation));
  CONCERTO_CHECK(opened->reopen());
  return opened;
}

Error AuditFile::failed_to(std::string_view what) const {
  const error_code reason(errno, boost::system::generic_category());
  return {reason, "cannot " + std::string{what} + " " + path_.string() + ": " + reason.message()};
}

Result<> AuditFile::reopen() {
  constexpr mode_t of_owner = 0600;
  std::error_code ignored;
  fs::create_directories(directory_of(path_), ignored);
  // Root must not follow where another user's link leads.
  constexpr int how = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fresh = ::open(path_.c_str(), how | O_CREAT | O_EXCL, of_owner);
  const bool is_new = fresh >= 0;
  if (!is_new && errno == EEXIST) fresh = ::open(path_.c_str(), how);
  if (fresh < 0) return failed_to("open");
  struct stat state {};
  if (::fstat(fresh, &state) != 0 || !S_ISREG(state.st_mode) || state.st_nlink > 1) {
    ::close(fresh);
    return make_error(Errc::invalid_request,
                      path_.string() + " is not a regular file with one name");
  }
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = fresh;
  if (is_new) {
    give_to_owner_of_directory(fresh, path_);
    sync_directory(path_);
  }
  return ok();
}

Result<> AuditFile::append(std::string_view line, WallTime now) {
  struct stat state {};
  if (::fstat(descriptor_, &state) != 0) return failed_to("look at");
  if (state.st_nlink == 0) CONCERTO_CHECK(reopen());  // somebody has removed it
  const auto bytes = static_cast<std::uintmax_t>(state.st_size);
  if (state.st_nlink > 0 && bytes > 0 && bytes + line.size() > bytes_max_) {
    ignore_error(rotate(now), "the open file gets the record, and the next one tries again");
  }
  return append_locked(line);
}

Result<> AuditFile::append_locked(std::string_view line) {
  const FileLock lock(descriptor_);
  struct stat before {};
  if (::fstat(descriptor_, &before) != 0) return failed_to("look at");
  char last = '\n';
  const bool reads_last =
      before.st_size == 0 || ::pread(descriptor_, &last, 1, before.st_size - 1) == 1;
  // After a loss of power the last line may be cut short.
  const std::string text = (reads_last && last == '\n' ? "" : "\n") + std::string{line};
  if (write_all(descriptor_, text) && ::fdatasync(descriptor_) == 0) return ok();
  Error error = failed_to("write");
  if (::ftruncate(descriptor_, before.st_size) != 0) {
    error.detail += "; a part of the line may be in the file";
  }
  return error;
}

Result<> AuditFile::rotate(WallTime now) {
  auto time = std::chrono::time_point_cast<std::chrono::system_clock::duration>(now);
  std::error_code failed;
  fs::path aside = asides_.new_name(time);
  while (fs::exists(aside, failed)) aside = asides_.new_name(time += std::chrono::milliseconds(1));
  fs::rename(path_, aside, failed);
  // Somebody else may have moved it, or an earlier try had no room for the new file.
  if (failed && failed != std::errc::no_such_file_or_directory) {
    errno = failed.value();
    return failed_to("rename");
  }
  CONCERTO_CHECK(reopen());
  asides_.remove_old(time);
  return ok();
}

std::vector<fs::path> AuditFile::files() const {
  std::vector<fs::path> all = asides_.list();
  all.insert(all.begin(), path_);
  return all;
}

}  // namespace concerto::tools
