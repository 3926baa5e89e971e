#include "append_file.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace concerto::persist {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{64} << 10;
constexpr std::size_t log_buffer_bytes = std::size_t{1} << 20;
constexpr std::uint64_t table_sync_bytes = std::uint64_t{512} << 10;
/// On a full disk, a log is zeroed up to the end of the page and no further.
constexpr std::uint64_t page_bytes = 4096;
/// Zeros are written in pieces of this size. If the disk becomes full, the part of a piece that was
/// written does not count as zeroed.
constexpr std::size_t zero_piece_bytes = std::size_t{64} << 10;

}  // namespace

void DirtyDirs::add(const std::string& dir) {
  const MutexLock lock(mutex_);
  dirs_.insert(dir);
}

Result<> DirtyDirs::sync(const std::string& dir) {
  UniqueLock lock(mutex_);
  while (syncing_.contains(dir)) synced_.wait(lock);
  if (dirs_.erase(dir) == 0) return ok();
  syncing_.insert(dir);
  lock.unlock();
  Result<> done = disk_.sync_dir(dir);
  lock.lock();
  syncing_.erase(dir);
  if (!done) dirs_.insert(dir);
  synced_.notify_all();
  return done;
}

AppendFile::AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size,
                       Shared shared)
    : AppendFile(std::move(path), std::move(file), size, shared, buffer_bytes) {}

AppendFile::AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size,
                       Shared shared, std::size_t buffer_bytes_max)
    : path_(std::move(path)),
      file_(std::move(file)),
      size_(size),
      shared_(shared),
      buffer_bytes_max_(buffer_bytes_max) {}

AppendFile::~AppendFile() {
  AppendFile::Close();
}

leveldb::Status AppendFile::done(const Result<>& result) {
  if (result) return leveldb::Status::OK();
  shared_.failure.note(result.error());
  return leveldb::Status::IOError(path_, result.error().detail);
}

leveldb::Status AppendFile::Append(const leveldb::Slice& data) {
  buffer_.append(data.data(), data.size());
  return buffer_.size() >= buffer_bytes_max_ ? done(write_out()) : leveldb::Status::OK();
}

leveldb::Status AppendFile::Flush() {
  return done(write_out());
}

leveldb::Status AppendFile::Sync() {
  Result<> synced = write_out();
  if (synced) synced = file_->sync();
  if (synced) synced = shared_.dirty.sync(parent_dir(path_));
  return done(synced);
}

leveldb::Status AppendFile::Close() {
  if (!file_) return leveldb::Status::OK();
  Result<> closed = write_out();
  if (closed) closed = finish();
  file_.reset();
  return done(closed);
}

Result<> AppendFile::write_out() {
  if (buffer_.empty()) return ok();
  if (shared_.failure.happened()) return shared_.failure.again();
  CONCERTO_CHECK(make_room(size_ + buffer_.size()));
  CONCERTO_CHECK(write(buffer_));
  size_ += buffer_.size();
  buffer_.clear();
  return written();
}

Result<> AppendFile::make_room(std::uint64_t) {
  return ok();
}

Result<> AppendFile::write(std::string_view data) {
  return file_->write(size_, data);
}

Result<> AppendFile::written() {
  return ok();
}

Result<> AppendFile::finish() {
  return ok();
}

TableFile::TableFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t bytes_max,
                     Shared shared)
    : AppendFile(std::move(path), std::move(file), 0, shared), bytes_max_(bytes_max) {}

Result<> TableFile::write(std::string_view data) {
  const std::uint64_t wanted = bytes_max_ - std::min(bytes_max_, size());
  Result<> done = shared().space.use([&] { return file().write(size(), data); }, wanted);
  // Nothing refers to an incomplete table, so its room can be given back.
  if (!done) ignore_error(file().truncate(0), "the write that failed is told");
  return done;
}

Result<> TableFile::written() {
  if (size() - synced_ < table_sync_bytes) return ok();
  synced_ = size();
  CONCERTO_CHECK(file().sync());
  const auto took = std::chrono::steady_clock::now() - piece_begun_;
  std::this_thread::sleep_for(shared().pace.pause_after(took));
  piece_begun_ = std::chrono::steady_clock::now();
  return ok();
}

LogFile::LogFile(std::string path, std::unique_ptr<DiskFile> file, std::uint64_t size,
                 std::uint64_t zeroed, Shared shared, const LogSpace& space,
                 std::function<void()> on_filling)
    : AppendFile(std::move(path), std::move(file), size, shared, log_buffer_bytes),
      zeroed_(zeroed),
      space_(space),
      on_filling_(std::move(on_filling)) {}

LogFile::~LogFile() {
  LogFile::Close();
}

Result<> LogFile::make_room(std::uint64_t end) {
  const std::size_t step = space_.zero_step_bytes;
  if (step == 0 || end <= zeroed_) return ok();
  if (zeros_.empty()) zeros_.assign(std::min(step, zero_piece_bytes), '\0');
  const Result<> ahead = zero_until((end / step + 1) * step);
  if (ahead) {
    if (end > space_.log_bytes / 4) on_filling_();
  } else if (!lacks_space(ahead.error().detail)) {
    return ahead;
  } else if (zeroed_ < end) {
    // The room that the store holds back is for data that must be written, not for zeros ahead of
    // it.
    const std::uint64_t page_end = (end + page_bytes - 1) / page_bytes * page_bytes;
    CONCERTO_CHECK(shared().space.use([&] { return zero_until(page_end); }));
  }
  return file().sync();
}

Result<> LogFile::zero_until(std::uint64_t end) {
  while (zeroed_ < end) {
    const auto count = std::min<std::uint64_t>(zeros_.size(), end - zeroed_);
    CONCERTO_CHECK(file().write(zeroed_, std::string_view(zeros_).substr(0, count)));
    zeroed_ += count;
  }
  return ok();
}

Result<> LogFile::finish() {
  return zeroed_ > size() ? file().truncate(size()) : ok();
}

}  // namespace concerto::persist
