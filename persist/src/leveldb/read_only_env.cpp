#include "read_only_env.hpp"

#include <algorithm>
#include <utility>

#include "database_names.hpp"
#include "log_scan.hpp"
#include "table_reader.hpp"

namespace concerto::persist {
namespace {

class MemoryReader final : public leveldb::SequentialFile {
 public:
  explicit MemoryReader(std::shared_ptr<const std::string> content)
      : content_(std::move(content)) {}

  leveldb::Status Read(std::size_t count, leveldb::Slice* result, char* /*scratch*/) override {
    const std::size_t left = std::min(count, content_->size() - at_);
    *result = {content_->data() + at_, left};
    at_ += left;
    return leveldb::Status::OK();
  }
  leveldb::Status Skip(std::uint64_t count) override {
    at_ += std::min<std::size_t>(count, content_->size() - at_);
    return leveldb::Status::OK();
  }

 private:
  const std::shared_ptr<const std::string> content_;
  std::size_t at_ = 0;
};

/// LevelDB reads a table only after it has written all of it.
class MemoryTable final : public leveldb::RandomAccessFile {
 public:
  explicit MemoryTable(std::shared_ptr<const std::string> content) : content_(std::move(content)) {}

  leveldb::Status Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                       char* /*scratch*/) const override {
    if (offset > content_->size()) return leveldb::Status::IOError("read behind the end");
    *result = {content_->data() + offset, std::min(count, content_->size() - offset)};
    return leveldb::Status::OK();
  }

 private:
  const std::shared_ptr<const std::string> content_;
};

class MemoryWriter final : public leveldb::WritableFile {
 public:
  explicit MemoryWriter(std::shared_ptr<std::string> content) : content_(std::move(content)) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    content_->append(data.data(), data.size());
    return leveldb::Status::OK();
  }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }

 private:
  const std::shared_ptr<std::string> content_;
};

/// Nobody else opens the database: the caller has the lock of the store.
class NoLock final : public leveldb::FileLock {};

leveldb::Status not_found(const std::string& path) {
  return leveldb::Status::NotFound(path, "no such file");
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

ReadOnlyEnv::Content ReadOnlyEnv::written(const std::string& path) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : found->second;
}

leveldb::Status ReadOnlyEnv::NewSequentialFile(const std::string& path,
                                               leveldb::SequentialFile** file) {
  *file = nullptr;
  Content content = written(path);
  if (!content) {
    if (!FileExists(path)) return not_found(path);
    if (logs_ == Logs::plain || !path.ends_with(".log")) {
      return target()->NewSequentialFile(path, file);
    }
    auto bytes = read_file(path);
    if (!bytes) return leveldb::Status::IOError(path, bytes.error().detail);
    bytes->resize(read_log(*bytes).good_bytes);
    content = std::make_shared<std::string>(std::move(*bytes));
  }
  *file = new MemoryReader(std::move(content));
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::NewRandomAccessFile(const std::string& path,
                                                 leveldb::RandomAccessFile** file) {
  *file = nullptr;
  if (Content content = written(path)) {
    *file = new MemoryTable(std::move(content));
    return leveldb::Status::OK();
  }
  if (!FileExists(path)) return not_found(path);
  auto opened = open_table(path);
  if (!opened) return leveldb::Status::IOError(path, opened.error().detail);
  *file = opened->release();
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::NewWritableFile(const std::string& path,
                                             leveldb::WritableFile** file) {
  auto content = std::make_shared<std::string>();
  *file = new MemoryWriter(content);
  const MutexLock lock(mutex_);
  files_[path] = std::move(content);
  return leveldb::Status::OK();
}

// LevelDB then writes a new file instead of going on with an old one.
leveldb::Status ReadOnlyEnv::NewAppendableFile(const std::string& path,
                                               leveldb::WritableFile** file) {
  *file = nullptr;
  return leveldb::Status::NotSupported(path);
}

bool ReadOnlyEnv::FileExists(const std::string& path) {
  {
    const MutexLock lock(mutex_);
    if (files_.contains(path)) return true;
    if (hidden_.contains(path)) return false;
  }
  return target()->FileExists(path);
}

leveldb::Status ReadOnlyEnv::GetChildren(const std::string& path, std::vector<std::string>* names) {
  const leveldb::Status status = target()->GetChildren(path, names);
  if (!status.ok()) return status;
  const MutexLock lock(mutex_);
  std::vector<std::string> shown;
  for (std::string& name : *names) {
    const std::string child = path + "/" + name;
    const bool is_shown =
        is_database_file(name) && !hidden_.contains(child) && !files_.contains(child);
    if (is_shown) shown.push_back(std::move(name));
  }
  *names = std::move(shown);
  for (const auto& [child, content] : files_) {
    const auto [directory, name] = split_path(child);
    if (directory == path) names->push_back(name);
  }
  return status;
}

leveldb::Status ReadOnlyEnv::RemoveFile(const std::string& path) {
  const MutexLock lock(mutex_);
  files_.erase(path);
  hidden_.insert(path);
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::CreateDir(const std::string& /*path*/) {
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::RemoveDir(const std::string& /*path*/) {
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::GetFileSize(const std::string& path, std::uint64_t* bytes) {
  const Content content = written(path);
  if (!content) return target()->GetFileSize(path, bytes);
  *bytes = content->size();
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::RenameFile(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(from);
  if (found == files_.end()) return leveldb::Status::NotSupported(from);
  files_[to] = std::move(found->second);
  files_.erase(from);
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::LockFile(const std::string& /*path*/, leveldb::FileLock** lock) {
  *lock = new NoLock;
  return leveldb::Status::OK();
}

leveldb::Status ReadOnlyEnv::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return leveldb::Status::OK();
}

}  // namespace concerto::persist
