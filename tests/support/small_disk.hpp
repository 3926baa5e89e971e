#pragma once

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "passing_disk.hpp"

namespace concerto::test {

/// A disk of a chosen size, on real files below one directory. A write that would make the files
/// larger than the disk fails because the disk is full. Thread-safe, as far as sizes at one moment
/// are concerned.
class SmallDisk final : public PassingDisk {
 public:
  explicit SmallDisk(std::string root) : root_(std::move(root)) {}

  void set_size(std::uint64_t bytes) { size_ = bytes; }
  /// Lets another program take all free room.
  void fill_up() { size_ = used(); }
  std::uint64_t used() const {
    std::uint64_t bytes = 0;
    std::error_code gone;
    std::filesystem::recursive_directory_iterator at(root_, gone);
    for (; !gone && at != std::filesystem::recursive_directory_iterator(); at.increment(gone)) {
      std::error_code not_a_file;
      const std::uint64_t size = at->file_size(not_a_file);
      if (!not_a_file) bytes += size;
    }
    return bytes;
  }

  Result<std::unique_ptr<persist::DiskFile>> create(const std::string& path) override {
    CONCERTO_TRY(auto file, PassingDisk::create(path));
    return wrap(path, std::move(file));
  }
  Result<std::unique_ptr<persist::DiskFile>> open(const std::string& path) override {
    CONCERTO_TRY(auto file, PassingDisk::open(path));
    return wrap(path, std::move(file));
  }
  Result<std::uint64_t> free_bytes(const std::string&) override {
    const std::uint64_t now = used();
    return size_ > now ? size_ - now : 0;
  }

 private:
  class File final : public persist::DiskFile {
   public:
    File(SmallDisk& disk, std::string path, std::unique_ptr<DiskFile> file)
        : disk_(disk), path_(std::move(path)), file_(std::move(file)) {}

    Result<> write(std::uint64_t offset, std::string_view data) override {
      std::error_code gone;
      const std::uint64_t size = std::filesystem::file_size(path_, gone);
      const std::uint64_t end = offset + data.size();
      if (!gone && end > size && disk_.used() + (end - size) > disk_.size_) {
        return make_error(EngineErrc::store_failed,
                          "cannot write '" + path_ + "': " + std::string(persist::disk_full_text) +
                              ": " + std::generic_category().message(ENOSPC));
      }
      return file_->write(offset, data);
    }
    Result<> sync() override { return file_->sync(); }
    Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }

   private:
    SmallDisk& disk_;
    const std::string path_;
    const std::unique_ptr<DiskFile> file_;
  };

  Result<std::unique_ptr<persist::DiskFile>> wrap(const std::string& path,
                                                  std::unique_ptr<persist::DiskFile> file) {
    return std::unique_ptr<persist::DiskFile>(std::make_unique<File>(*this, path, std::move(file)));
  }

  const std::string root_;
  std::atomic<std::uint64_t> size_ = UINT64_MAX;
};

}  // namespace concerto::test
