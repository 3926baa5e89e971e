#pragma once

#include <memory>
#include <string>

#include <leveldb/env.h>

#include <concerto/base/error.hpp>

namespace concerto::persist {

/// A table that is read as memory: it holds no descriptor, so that the number of a store's
/// descriptors does not depend on how many tables it has. Nobody changes the file. Thread-safe.
class MappedFile final : public leveldb::RandomAccessFile {
 public:
  /// Errors: store_failed; no descriptor (see DescriptorReserve).
  static Result<std::unique_ptr<MappedFile>> open(const std::string& path);
  ~MappedFile() override;

  leveldb::Status Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                       char* scratch) const override;

 private:
  MappedFile(std::string path, const char* data, std::size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  const std::string path_;
  const char* const data_;
  const std::size_t size_;
};

}  // namespace concerto::persist
