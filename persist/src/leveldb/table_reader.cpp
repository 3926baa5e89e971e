#include "table_reader.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>

#include "disk.hpp"

namespace concerto::persist {
namespace {

leveldb::Status behind_its_end(const std::string& path) {
  return leveldb::Status::Corruption(path, "a read behind its end");
}

class MappedTable final : public leveldb::RandomAccessFile {
 public:
  MappedTable(std::string path, const char* data, std::size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}
  ~MappedTable() override {
    if (size_ > 0) ::munmap(const_cast<char*>(data_), size_);
  }

  leveldb::Status Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                       char*) const override {
    *result = leveldb::Slice();
    if (offset > size_ || count > size_ - offset) return behind_its_end(path_);
    *result = leveldb::Slice(data_ + offset, count);
    return leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const char* const data_;
  const std::size_t size_;
};

class OpenTable final : public leveldb::RandomAccessFile {
 public:
  OpenTable(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~OpenTable() override { ::close(fd_); }

  leveldb::Status Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                       char* scratch) const override {
    *result = leveldb::Slice();
    for (std::size_t have = 0; have < count;) {
      const auto at = static_cast<off_t>(offset + have);
      const ssize_t got = ::pread(fd_, scratch + have, count - have, at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        return leveldb::Status::IOError(path_, system_failure("cannot read", path_).detail);
      }
      if (got == 0) return behind_its_end(path_);
      have += static_cast<std::size_t>(got);
    }
    *result = leveldb::Slice(scratch, count);
    return leveldb::Status::OK();
  }

 private:
  const std::string path_;
  const int fd_;
};

}  // namespace

void* map_file(int fd, std::size_t size) {
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  return data == MAP_FAILED ? nullptr : data;
}

Result<std::unique_ptr<leveldb::RandomAccessFile>> open_table(const std::string& path,
                                                              MapFile map) {
  using Table = std::unique_ptr<leveldb::RandomAccessFile>;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_failure("cannot open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const Error error = system_failure("cannot look at", path);
    ::close(fd);
    return error;
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  const void* const data = size > 0 ? map(fd, size) : nullptr;
  if (size > 0 && data == nullptr) return Table(std::make_unique<OpenTable>(path, fd));
  ::close(fd);
  return Table(std::make_unique<MappedTable>(path, static_cast<const char*>(data), size));
}

}  // namespace concerto::persist
