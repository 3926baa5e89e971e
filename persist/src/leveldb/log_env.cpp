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

/// A file that LevelDB appends to. `zero_step_bytes` > 0: space ahead is zeroed in such steps.
class AppendFile final : public leveldb::WritableFile {
 public:
  AppendFile(std::string path, std::unique_ptr<DiskFile> file, std::size_t zero_step_bytes,
             std::uint64_t size, DirtyDirs& dirty)
      : path_(std::move(path)),
        file_(std::move(file)),
        zero_step_bytes_(zero_step_bytes),
        written_(size),
        zeroed_(size),
        dirty_(dirty) {}
  ~AppendFile() override { Close(); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    buffer_.append(data.data(), data.size());
    const auto limit = zero_step_bytes_ > 0 ? buffer_bytes_max : plain_buffer_bytes_max;
    return buffer_.size() >= limit ? to_status(path_, write_out()) : leveldb::Status::OK();
  }

  // A log whose every group is synced gains nothing from handing pieces over before; of other
  // files the system gets what LevelDB wants it to have.
  leveldb::Status Flush() override {
    return zero_step_bytes_ > 0 ? leveldb::Status::OK() : to_status(path_, write_out());
  }

  leveldb::Status Sync() override {
    Result<> done = write_out();
    if (done) done = file_->sync();
    if (done) done = dirty_.sync(parent_dir(path_));
    return to_status(path_, done);
  }

  leveldb::Status Close() override {
    if (!file_) return leveldb::Status::OK();
    Result<> done = write_out();
    if (done && zeroed_ > written_) done = file_->truncate(written_);
    file_.reset();
    return to_status(path_, done);
  }

 private:
  Result<> write_out() {
    if (buffer_.empty()) return ok();
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

leveldb::Status LogEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  auto created = disk_.create(path);
  if (!created) return leveldb::Status::IOError(path, created.error().detail);
  dirty_.add(parent_dir(path));
  const bool synced_log = logs_ == Logs::synced && is_log_path(path);
  if (synced_log) {
    if (const Result<> done = note_log(path, '+'); !done) return to_status(path, done);
  }
  const std::size_t step = synced_log ? zero_step_bytes_ : 0;
  *file = new AppendFile(path, std::move(*created), step, 0, dirty_);
  return leveldb::Status::OK();
}

leveldb::Status LogEnv::NewAppendableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  std::uint64_t size = 0;
  if (leveldb::Status found = GetFileSize(path, &size); !found.ok()) return found;
  auto opened = disk_.open(path);
  if (!opened) return leveldb::Status::IOError(path, opened.error().detail);
  *file = new AppendFile(path, std::move(*opened), 0, size, dirty_);
  return leveldb::Status::OK();
}

leveldb::Status LogEnv::RemoveFile(const std::string& path) {
  // What replaces the file must not go before it does.
  if (const Result<> done = dirty_.sync(parent_dir(path)); !done) return to_status(path, done);
  if (logs_ == Logs::synced && is_log_path(path)) {
    if (const Result<> done = note_log(path, '-'); !done) return to_status(path, done);
  }
  return to_status(path, disk_.remove(path));
}

leveldb::Status LogEnv::RenameFile(const std::string& from, const std::string& to) {
  Result<> done = disk_.rename(from, to);
  dirty_.add(parent_dir(to));
  if (done) done = dirty_.sync(parent_dir(to));
  return to_status(from, done);
}

leveldb::Status LogEnv::CreateDir(const std::string& path) {
  return to_status(path, disk_.create_dir(path));
}

leveldb::Status LogEnv::RemoveDir(const std::string& path) {
  return to_status(path, disk_.remove_dir(path));
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
  dirty_.add(parent_dir(list));
  return dirty_.sync(parent_dir(list));
}

}  // namespace concerto::persist
