#include "log_env.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include <sys/stat.h>

#include "database_names.hpp"
#include "file_modes.hpp"
#include "table_reader.hpp"

namespace concerto::persist {
namespace {

leveldb::Status to_status(const std::string& path, const Result<>& done) {
  if (done) return leveldb::Status::OK();
  return leveldb::Status::IOError(path, done.error().detail);
}

/// LevelDB's own Env gives the reason of an error only in its text.
bool lacks_descriptor(const leveldb::Status& status) {
  if (!status.IsIOError()) return false;
  const std::string text = status.ToString();
  return text.ends_with(std::generic_category().message(EMFILE)) ||
         text.ends_with(std::generic_category().message(ENFILE));
}

}  // namespace

std::string log_list_path(const std::string& database) {
  return database + "/LOGS";
}

LogEnv::LogEnv(PatientDisk& disk, Logs logs, LogSpace space)
    : EnvWrapper(leveldb::Env::Default()),
      disk_(disk),
      files_(disk),
      logs_(logs),
      space_(std::move(space)),
      dirty_(disk),
      spare_(disk, space_.spare_path, space_.zero_step_bytes) {}

LogEnv::~LogEnv() {
  if (!leaves_files_) ignore_error(spare_.drop(), "the next start removes it");
}

leveldb::Status LogEnv::done(const std::string& path, const Result<>& result) {
  if (!result) failure_.note(result.error());
  return to_status(path, result);
}

leveldb::Status LogEnv::refused(const std::string& path) const {
  return to_status(path, failure_.again());
}

template <class Open>
leveldb::Status LogEnv::with_descriptor(Open open) {
  leveldb::Status status;
  const auto opened = disk_.reserve().open([&]() -> Result<> {
    status = open();
    if (lacks_descriptor(status)) return no_descriptor(status.ToString());
    return ok();
  });
  ignore_error(opened, "the status tells the same");
  return status;
}

leveldb::Status LogEnv::NewSequentialFile(const std::string& path, leveldb::SequentialFile** file) {
  return with_descriptor([&] { return target()->NewSequentialFile(path, file); });
}

leveldb::Status LogEnv::NewRandomAccessFile(const std::string& path,
                                            leveldb::RandomAccessFile** file) {
  *file = nullptr;
  auto opened = disk_.reserve().open([&] { return open_table(path); });
  if (!opened) return to_status(path, opened.error());
  *file = opened->release();
  return leveldb::Status::OK();
}

leveldb::Status LogEnv::GetChildren(const std::string& path, std::vector<std::string>* names) {
  const auto status = with_descriptor([&] { return target()->GetChildren(path, names); });
  std::erase_if(*names, [](const std::string& name) { return !is_database_file(name); });
  return status;
}

leveldb::Status LogEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  if (failure_.happened()) return refused(path);
  auto created = is_synced_log(path) ? create_log(path) : create_file(path);
  if (!created) return done(path, created.error());
  *file = created->release();
  return leveldb::Status::OK();
}

LogEnv::NewFile LogEnv::create_file(const std::string& path) {
  if (path.ends_with(".ldb")) {
    CONCERTO_TRY(auto table, disk_.space().use([&] { return disk_.create(path); }));
    dirty_.add(parent_dir(path));
    return NewFile(std::make_unique<TableFile>(path, std::move(table), space_.log_bytes, shared()));
  }
  CONCERTO_TRY(auto file, files_.create(path));
  if (is_log(path)) {
    CONCERTO_CHECK(list_log(path));
  } else {
    dirty_.add(parent_dir(path));
  }
  return NewFile(std::make_unique<AppendFile>(path, std::move(file), 0, shared()));
}

LogEnv::NewFile LogEnv::create_log(const std::string& path) {
  pace_.log_begun(std::chrono::steady_clock::now());
  CONCERTO_TRY(const std::uint64_t zeroed, spare_.use_as(path));
  const auto open = [&] { return zeroed > 0 ? disk_.open(path) : disk_.create(path); };
  CONCERTO_TRY(auto file, disk_.space().use(open));
  CONCERTO_CHECK(list_log(path));
  return log_file(path, std::move(file), 0, zeroed);
}

std::unique_ptr<leveldb::WritableFile> LogEnv::log_file(const std::string& path,
                                                        std::unique_ptr<DiskFile> file,
                                                        std::uint64_t size, std::uint64_t zeroed) {
  auto on_filling = [this] {
    if (spare_.want(space_.log_bytes)) make_spare();
  };
  return std::make_unique<LogFile>(path, std::move(file), size, zeroed, shared(), space_,
                                   std::move(on_filling));
}

// Piece by piece, so that LevelDB's work is done in between.
void LogEnv::make_spare() {
  background_.run([this] {
    const auto begin = std::chrono::steady_clock::now();
    const Result<bool> more = failure_.happened() ? Result<bool>(false) : spare_.zero_piece();
    // Logs work without a spare one. If the disk fails, the files that matter report it soon
    // enough.
    if (!more) ignore_error(spare_.drop(), "the next start removes it");
    if (!more || !*more) return;
    std::this_thread::sleep_for(pace_.pause_after(std::chrono::steady_clock::now() - begin));
    make_spare();
  });
}

leveldb::Status LogEnv::NewAppendableFile(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  if (failure_.happened()) return refused(path);
  std::uint64_t size = 0;
  if (leveldb::Status found = GetFileSize(path, &size); !found.ok()) return found;
  if (resumes_logs_ && is_synced_log(path)) {
    auto resumed = resume_log(path, size);
    if (!resumed) return done(path, resumed.error());
    *file = resumed->release();
    return leveldb::Status::OK();
  }
  // A manifest may end with a change that is torn or not durable. So LevelDB must write a new
  // manifest.
  if (resumes_logs_ && logs_ == Logs::synced) return leveldb::Status::NotSupported(path);
  auto opened = files_.open(path);
  if (!opened) return done(path, opened.error());
  dirty_.add(parent_dir(path));  // its creator may not have synced its name
  *file = new AppendFile(path, std::move(*opened), size, shared());
  return leveldb::Status::OK();
}

// The list may lack a log that was created just before the end.
LogEnv::NewFile LogEnv::resume_log(const std::string& path, std::uint64_t size) {
  CONCERTO_TRY(auto file, disk_.open(path));
  CONCERTO_CHECK(list_log(path));
  return log_file(path, std::move(file), size, size);
}

leveldb::Status LogEnv::RemoveFile(const std::string& path) {
  if (failure_.happened()) return refused(path);
  // LevelDB also removes a table that it has not made, because its table in memory was empty.
  if (!FileExists(path)) return leveldb::Status::NotFound(path);
  // A file may be removed only after the one that replaces it is durable.
  Result<> removed = dirty_.sync(parent_dir(path));
  if (removed) removed = is_log(path) ? remove_log(path) : disk_.remove(path);
  return done(path, removed);
}

Result<> LogEnv::remove_log(const std::string& path) {
  CONCERTO_CHECK(note_log(path, '-'));
  CONCERTO_TRY(const bool kept, spare_.keep(path));  // false if logs are not zeroed ahead
  if (!kept) return disk_.remove(path);
  make_spare();
  return ok();
}

// LevelDB creates this file itself.
leveldb::Status LogEnv::LockFile(const std::string& path, leveldb::FileLock** lock) {
  const leveldb::Status locked = with_descriptor([&] { return target()->LockFile(path, lock); });
  if (locked.ok()) make_private(path);
  return locked;
}

void LogEnv::Schedule(void (*function)(void*), void* argument) {
  background_.run([function, argument] { function(argument); });
}

leveldb::Status LogEnv::RenameFile(const std::string& from, const std::string& to) {
  if (failure_.happened()) return refused(from);
  Result<> renamed = files_.rename(from, to);
  dirty_.add(parent_dir(to));
  if (renamed) renamed = dirty_.sync(parent_dir(to));
  return done(from, renamed);
}

leveldb::Status LogEnv::CreateDir(const std::string& path) {
  return failure_.happened() ? refused(path) : done(path, files_.create_dir(path));
}

leveldb::Status LogEnv::RemoveDir(const std::string& path) {
  return failure_.happened() ? refused(path) : done(path, disk_.remove_dir(path));
}

// A listed log must exist, so the log is created first and listed second.
Result<> LogEnv::list_log(const std::string& path) {
  dirty_.add(parent_dir(path));
  CONCERTO_CHECK(dirty_.sync(parent_dir(path)));
  return note_log(path, '+');
}

// LevelDB creates and removes logs rarely, so the list is opened anew each time.
Result<> LogEnv::note_log(const std::string& path, char sign) {
  const std::string list = log_list_path(parent_dir(path));
  const std::string line = sign + path.substr(path.find_last_of('/') + 1) + "\n";
  const MutexLock lock(log_list_mutex_);  // Two lines must not be written to one place.
  struct stat info {};
  const bool exists = ::stat(list.c_str(), &info) == 0;
  CONCERTO_TRY(const auto file, exists ? files_.open(list) : files_.create(list));
  CONCERTO_CHECK(file->write(exists ? static_cast<std::uint64_t>(info.st_size) : 0, line));
  CONCERTO_CHECK(file->sync());
  if (!exists) dirty_.add(parent_dir(list));
  return dirty_.sync(parent_dir(list));
}

}  // namespace concerto::persist
