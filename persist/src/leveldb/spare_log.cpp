#include "spare_log.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "dir_entries.hpp"

namespace concerto::persist {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{256} << 10;
constexpr std::uint64_t size_bytes_max = std::uint64_t{64} << 20;

}  // namespace

std::string spare_log_path(const std::string& store) {
  return store + "/SPARE";
}

/// A whole number of steps, and more than the last log took, because the next log may become a
/// little longer.
std::uint64_t SpareLog::rounded(std::uint64_t bytes) const noexcept {
  return (bytes / step_bytes_ + 1) * step_bytes_;
}

Result<bool> SpareLog::keep(const std::string& log) {
  const MutexLock lock(mutex_);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(log, error);
  if (path_.empty() || state_ != State::none || error || size > size_bytes_max) return false;
  CONCERTO_CHECK(disk_.rename(log, path_));
  size_ = rounded(size);
  state_ = State::kept;
  return true;
}

bool SpareLog::want(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (path_.empty() || state_ != State::none || bytes > size_bytes_max) return false;
  size_ = rounded(bytes);
  state_ = State::wanted;
  return true;
}

Result<std::unique_ptr<DiskFile>> SpareLog::open_file() {
  const MutexLock lock(mutex_);
  file_bytes_ = size_;
  if (state_ == State::wanted) return disk_.create(path_);
  if (state_ == State::kept) return disk_.open(path_);
  if (state_ == State::given_up) state_ = State::none;
  return std::unique_ptr<DiskFile>();
}

Result<bool> SpareLog::zero_piece() {
  Result<bool> more = zero_next();
  // A file that is removed while it is open would keep its room.
  if (!more) file_.reset();
  return more;
}

Result<bool> SpareLog::zero_next() {
  if (!file_) {
    CONCERTO_TRY(file_, open_file());
    if (!file_) return false;
    zeroed_ = 0;
  }
  const std::string zeros(std::min(piece_bytes, file_bytes_ - zeroed_), '\0');
  CONCERTO_CHECK(file_->write(zeroed_, zeros));
  CONCERTO_CHECK(file_->sync());
  zeroed_ += zeros.size();
  const MutexLock lock(mutex_);
  const bool goes_on = state_ == State::wanted || state_ == State::kept;
  if (goes_on && zeroed_ < file_bytes_) return true;
  file_.reset();
  if (goes_on) state_ = State::ready;
  if (state_ == State::given_up) state_ = State::none;
  return false;
}

Result<std::uint64_t> SpareLog::use_as(const std::string& log) {
  const MutexLock lock(mutex_);
  if (state_ != State::ready) return std::uint64_t{0};
  CONCERTO_CHECK(disk_.rename(path_, log));
  state_ = State::none;
  return size_;
}

Result<> SpareLog::remove_old() {
  const MutexLock lock(mutex_);
  return state_ == State::none ? remove_file() : ok();
}

Result<bool> SpareLog::give_up() {
  const MutexLock lock(mutex_);
  if (path_.empty() || state_ == State::given_up || state_ == State::dropped) return false;
  CONCERTO_TRY(const EntryKind kind, kind_of(path_));
  if (kind == EntryKind::file) CONCERTO_CHECK(disk_.remove(path_));
  if (state_ == State::wanted || state_ == State::kept) {
    state_ = State::given_up;
  } else {
    state_ = State::none;
  }
  return kind == EntryKind::file;
}

Result<> SpareLog::drop() {
  const MutexLock lock(mutex_);
  const State before = std::exchange(state_, State::dropped);
  return before == State::none ? ok() : remove_file();
}

Result<> SpareLog::remove_file() {
  if (path_.empty()) return ok();
  CONCERTO_TRY(const EntryKind kind, kind_of(path_));
  return kind == EntryKind::file ? disk_.remove(path_) : ok();
}

}  // namespace concerto::persist
