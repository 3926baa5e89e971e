#include "mapped_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "disk.hpp"

namespace concerto::persist {

Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_failure("cannot open", path);
  struct stat info {};
  void* data = nullptr;
  bool mapped = ::fstat(fd, &info) == 0;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (mapped && size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    mapped = data != MAP_FAILED;
  }
  const Error error = mapped ? Error{} : system_failure("cannot map", path);
  ::close(fd);
  if (!mapped) return error;
  return std::unique_ptr<MappedFile>(new MappedFile(path, static_cast<const char*>(data), size));
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(const_cast<char*>(data_), size_);
}

leveldb::Status MappedFile::Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                                 char*) const {
  if (offset > size_ || count > size_ - offset) {
    *result = leveldb::Slice();
    return leveldb::Status::Corruption(path_, "a read behind its end");
  }
  *result = leveldb::Slice(data_ + offset, count);
  return leveldb::Status::OK();
}

}  // namespace concerto::persist
