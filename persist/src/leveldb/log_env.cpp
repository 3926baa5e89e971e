#include "log_env.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <sys/stat.h>

namespace concerto::persist {
namespace {

/// Appends gather here before they are written, unless a sync comes first.
constexpr std::size_t buffer_bytes_max = std::size_t{1} << 20;
constexpr std::size_t plain_buffer_bytes_max = std::size_t{64} << 10;

leveldb::Status to_status(const std::string& path, const Result<>& done) {
  if (done) return leveldb::Status::OK();
  return leveldb::Status::IOError(path, done.error().detail);
}

leveldb::Status refused(const std::string& path) {
  return leveldb::Status::IOError(path, "nothing is written after a failure");
}

/// A file that LevelDB appends to. `zero_step_bytes` > 0: space ahead is zeroed in such steps.
class AppendFile final : public leveldb::WritableFile {
 public:
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::size_t zero_step_bytes,
             std::uint64_t size, DirtyDirs& dirty, std::atomic<bool>& failed)
      : path_(std::move(path)),
        file_(std::move(file)),
        zero_step_bytes_(zero_step_bytes),
        written_(size),
        zeroed_(size),
        dirty_(dirty),
        failed_(failed) {}
  ~AppendFile() override { Close(); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    buffer_.append(data.data(), data.size());
    const auto limit = zero_step_bytes_ > 0 ? buffer_bytes_max : plain_buffer_bytes_max;
    return buffer_.size() >= limit ? done(write_out()) : leveldb::Status::OK();
  }

  // A log whose every group is synced gains nothing from handing pieces over before; of other
  // files the system gets what LevelDB wants it to have.
  leveldb::Status Flush() override {
    return zero_step_bytes_ > 0 ? leveldb::Status::OK() : done(write_out());
  }

  leveldb::Status Sync() override {
    Result<> synced = write_out();
    if (synced) synced = file_->sync();
    if (synced) synced = dirty_.sync(parent_dir(path_));
    return done(synced);
  }

  leveldb::Status Close() override {
    if (!file_) return leveldb::Status::OK();
    Result<> closed = write_out();
    if (closed && zeroed_ > written_) closed = file_->truncate(written_);
    file_.reset();
    return done(closed);
  }

 private:
  leveldb::Status done(const Result<>& result) {
    if (!result) failed_ = true;
    return to_status(path_, result);
  }

  Result<> write_out() {
    if (buffer_.empty()) return ok();
    if (failed_) return make_error(Errc::store_failed, "nothing is written after a failure");
    if (zero_step_bytes_ > 0 && written_ + buffer_.size() > zeroed_) CONCERTO_CHECK(zero_ahead());
    CONCERTO_CHECK(file_->write(written_, buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    return ok();
  }

  Result<> zero_ahead() {
    const std::uint64_t needed = written_ + buffer_.size();
    const std::uint64_t steps = (needed - zeroed_) / zero_step_bytes_ + 1;
    if (zeros_.empty()) zeros_.assign(zero_step_bytes_, '\0');
    for (std::uint64_t i = 0; i < steps; ++i) {
      CONCERTO_CHECK(file_->write(zeroed_, zeros_));
      zeroed_ += zeros_.size();
    }
    return file_->sync();
  }

  std::string path_;
  std::unique_ptr<DiskFile> file_;
  const std::size_t zero_step_bytes_;
  std::string buffer_;
  std::string zeros_;
  std::uint64_t written_;
  std::uint64_t zeroed_;
  DirtyDirs& dirty_;
  std::atomic<bool>& failed_;
};

}  // namespace

void DirtyDirs::add(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  dirs_.insert(dir);
}

Result<> DirtyDirs::sync(const std::string& dir) {
  {
    const std::lock_guard lock(mutex_);
    if (dirs_.erase(dir) == 0) return ok();
  }
  Result<> done = disk_.sync_dir(dir);
  if (!done) add(dir);
  return done;
}

namespace {

bool ends_with(const std::string& text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.npos, end) == 0;
}

}  // namespace

std::string log_list_path(const std::string& database) {
  return database + "/LOGS";
}

bool is_log_path(const std::string& path) noexcept {
  return ends_with(path, ".log");
}

LogEnv::LogEnv(Disk& disk, Logs logs, std::size_t zero_step_bytes)
    : EnvWrapper(leveldb::Env::Default()),
      disk_(disk),
      logs_(logs),
      zero_step_bytes_(zero_step_bytes),
      dirty_(disk) {}

leveldb::Status LogEnv::done(const std::string& path, const Result<>& result) {
  if (!result) failed_ = true;
  return to_status(path, result);
}

leveldb::Status LogEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  if (failed_) return refused(path);
  auto created = disk_.create(path);
  if (!created) return done(path, created.error());
  dirty_.add(parent_dir(path));
  const bool synced_log = logs_ == Logs::synced && is_log_path(path);
  if (synced_log) {
    // A listed log must be there, so the list comes second.
    Result<> listed = dirty_.sync(parent_dir(path));
    if (listed) listed = note_log(path, '+');
    if (!listed) return done(path, listed);
  }
  const std::size_t step = synced_log ? zero_step_bytes_ : 0;
  *file = new AppendFile(path, std::move(*created), step, 0, dirty_, failed_);
  return leveldb::Status::OK();
}

leveldb::Status LogEnv::NewAppendableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  if (failed_) return refused(path);
  std::uint64_t size = 0;
  if (leveldb::Status found = GetFileSize(path, &size); !found.ok()) return found;
  auto opened = disk_.open(path);
  if (!opened) return done(path, opened.error());
  dirty_.add(parent_dir(path));  // whoever created it may not have synced its name
  *file = new AppendFile(path, std::move(*opened), 0, size, dirty_, failed_);
  return leveldb::Status::OK();
}

leveldb::Status LogEnv::RemoveFile(const std::string& path) {
  if (failed_) return refused(path);
  // What replaces the file must not go before it does.
  Result<> removed = dirty_.sync(parent_dir(path));
  if (removed && logs_ == Logs::synced && is_log_path(path)) removed = note_log(path, '-');
  if (removed) removed = disk_.remove(path);
  return done(path, removed);
}

leveldb::Status LogEnv::RenameFile(const std::string& from, const std::string& to) {
  if (failed_) return refused(from);
  Result<> renamed = disk_.rename(from, to);
  dirty_.add(parent_dir(to));
  if (renamed) renamed = dirty_.sync(parent_dir(to));
  return done(from, renamed);
}

leveldb::Status LogEnv::CreateDir(const std::string& path) {
  return failed_ ? refused(path) : done(path, disk_.create_dir(path));
}

leveldb::Status LogEnv::RemoveDir(const std::string& path) {
  return failed_ ? refused(path) : done(path, disk_.remove_dir(path));
}

// LevelDB creates and removes logs rarely, so the list is opened anew each time.
Result<> LogEnv::note_log(const std::string& path, char sign) {
  const std::string list = log_list_path(parent_dir(path));
  const std::string line = sign + path.substr(path.find_last_of('/') + 1) + "\n";
  struct stat info {};
  const bool exists = ::stat(list.c_str(), &info) == 0;
  CONCERTO_TRY(const auto file, exists ? disk_.open(list) : disk_.create(list));
  CONCERTO_CHECK(file->write(exists ? static_cast<std::uint64_t>(info.st_size) : 0, line));
  CONCERTO_CHECK(file->sync());
  if (!exists) dirty_.add(parent_dir(list));
  return dirty_.sync(parent_dir(list));
}

}  // namespace concerto::persist
