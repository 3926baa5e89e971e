#include "audit_file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
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
  /// Waits for other processes no longer than `wait`.
  FileLock(int descriptor, std::chrono::milliseconds wait) : descriptor_(descriptor) {
    constexpr std::chrono::milliseconds pause{10};
    const auto end = std::chrono::steady_clock::now() + wait;
    while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      is_refused_ = errno == EWOULDBLOCK && std::chrono::steady_clock::now() >= end;
      // Some file systems have no locks.
      if (is_refused_ || (errno != EWOULDBLOCK && errno != EINTR)) return;
      std::this_thread::sleep_for(pause);
    }
  }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool is_refused() const noexcept { return is_refused_; }

 private:
  const int descriptor_;
  bool is_refused_ = false;
};

/// `process 812 (flock)`: who holds a lock on the file, as /proc tells.
std::string holder_of_lock(const struct stat& file) {
  // `1: FLOCK  ADVISORY  WRITE 812 08:01:1234567 0 EOF`
  std::ifstream locks{"/proc/locks"};
  const std::string place = ":" + std::to_string(file.st_ino);
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number, kind, mode, access, process, inode;
    words >> number >> kind >> mode >> access >> process >> inode;
    if (kind != "FLOCK" || !inode.ends_with(place)) continue;
    std::string name;
    std::getline(std::ifstream{"/proc/" + process + "/comm"}, name);
    return "process " + process + (name.empty() ? "" : " (" + name + ")");
  }
  return "another process";
}

/// How many bytes of the file are lines about refused attempts. A text in a record cannot look like
/// the member, because its quotes are escaped.
std::uintmax_t count_refused(int descriptor) {
  constexpr std::string_view mark = R"("event":"refused")";
  std::uintmax_t bytes = 0;
  std::string begun(std::size_t{64} << 10U, '\0');
  std::string rest;
  ::off_t at = 0;
  for (ssize_t got = 0; (got = ::pread(descriptor, begun.data(), begun.size(), at)) > 0;
       at += got) {
    rest.append(begun, 0, static_cast<std::size_t>(got));
    std::size_t line = 0;
    for (std::size_t end = 0; (end = rest.find('\n', line)) != std::string::npos; line = end + 1) {
      const bool is_refused =
          std::string_view{rest}.substr(line, end - line).find(mark) != std::string_view::npos;
      if (is_refused) bytes += end + 1 - line;
    }
    rest.erase(0, line);
    if (rest.size() > begun.size()) rest.clear();  // no line of an audit log
  }
  return bytes;
}

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

AuditFile::AuditFile(fs::path file, const Rotation& rotation, std::chrono::milliseconds lock_wait)
    : path_(std::move(file)),
      bytes_max_(rotation.bytes_max),
      asides_(path_, rotation),
      lock_wait_(lock_wait) {}

AuditFile::~AuditFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<AuditFile>> AuditFile::open(fs::path file, const Rotation& rotation,
                                                   std::chrono::milliseconds lock_wait) {
  std::unique_ptr<AuditFile> opened(new AuditFile(std::move(file), rotation, lock_wait));
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
  } else {
    close_to_others(state, fresh);
  }
  refused_bytes_ = count_refused(fresh);
  return ok();
}

/// The file may have been made by somebody else, with a mode of any kind. A group may read it, as
/// programs that send logs to other machines do.
void AuditFile::close_to_others(const struct stat& state, int descriptor) {
  constexpr mode_t too_open = 0027;
  const mode_t mode = state.st_mode & 07777U;
  if ((mode & too_open) == 0) return;
  const mode_t closed = mode & ~too_open;
  const bool is_closed = ::fchmod(descriptor, closed) == 0;
  const auto octal = [](mode_t bits) {
    std::ostringstream text;
    text << '0' << std::oct << bits;
    return text.str();
  };
  finding_ = path_.string() + " had the mode " + octal(mode) + ", so that others could " +
             ((mode & 0022U) != 0 ? "change" : "read") + " it; " +
             (is_closed ? "it is " + octal(closed) + " now"
                        : "this process may not change that: make it " + octal(closed));
}

/// Opens the file anew if somebody has removed it.
Result<> AuditFile::find_again() {
  struct stat state {};
  if (::fstat(descriptor_, &state) != 0) return failed_to("look at");
  return state.st_nlink == 0 ? reopen() : ok();
}

Result<bool> AuditFile::append_refused(std::string_view line) {
  constexpr std::uintmax_t share = 4;
  CONCERTO_CHECK(find_again());
  if (refused_bytes_ + line.size() > bytes_max_ / share) return false;
  CONCERTO_CHECK(append_locked(line));
  refused_bytes_ += line.size();
  return true;
}

Result<> AuditFile::append(std::string_view line, WallTime now) {
  CONCERTO_CHECK(find_again());
  struct stat state {};
  if (::fstat(descriptor_, &state) != 0) return failed_to("look at");
  const auto all_bytes = static_cast<std::uintmax_t>(state.st_size);
  const std::uintmax_t bytes = all_bytes - std::min(all_bytes, refused_bytes_);
  if (bytes > 0 && bytes + line.size() > bytes_max_) {
    ignore_error(rotate(now), "the open file gets the record, and the next one tries again");
  }
  return append_locked(line);
}

Result<> AuditFile::append_locked(std::string_view line) {
  const FileLock lock(descriptor_, waits_for_lock_ ? lock_wait_ : std::chrono::milliseconds{0});
  struct stat before {};
  if (::fstat(descriptor_, &before) != 0) return failed_to("look at");
  waits_for_lock_ = !lock.is_refused();
  if (lock.is_refused()) {
    return make_error(Errc::overloaded, "cannot lock " + path_.string() + ": " +
                                            holder_of_lock(before) + " keeps it locked");
  }
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
