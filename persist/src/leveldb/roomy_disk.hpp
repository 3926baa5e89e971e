#pragma once

#include <memory>
#include <string>
#include <utility>

#include "patient_disk.hpp"

namespace concerto::persist {

/// A disk on which an operation that finds no space gets some from the disk's SpaceReserve. A sync
/// does not: after a failed sync nobody knows what is on the disk. Thread-safe.
class RoomyDisk final : public Disk {
 public:
  explicit RoomyDisk(PatientDisk& disk) : disk_(disk) {}

  Result<std::unique_ptr<DiskFile>> create(const std::string& path) override {
    CONCERTO_TRY(auto file, disk_.space().use([&] { return disk_.create(path); }));
    return wrap(std::move(file));
  }
  Result<std::unique_ptr<DiskFile>> open(const std::string& path) override {
    CONCERTO_TRY(auto file, disk_.open(path));
    return wrap(std::move(file));
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    return disk_.space().use([&] { return disk_.rename(from, to); });
  }
  Result<> remove(const std::string& path) override { return disk_.remove(path); }
  Result<> create_dir(const std::string& path) override {
    return disk_.space().use([&] { return disk_.create_dir(path); });
  }
  Result<> remove_dir(const std::string& path) override { return disk_.remove_dir(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return disk_.free_bytes(path);
  }
  Result<> sync_dir(const std::string& path) override { return disk_.sync_dir(path); }

 private:
  class File final : public DiskFile {
   public:
    File(SpaceReserve& space, std::unique_ptr<DiskFile> file)
        : space_(space), file_(std::move(file)) {}
    Result<> write(std::uint64_t offset, std::string_view data) override {
      return space_.use([&] { return file_->write(offset, data); });
    }
    Result<> sync() override { return file_->sync(); }
    Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }

   private:
    SpaceReserve& space_;
    const std::unique_ptr<DiskFile> file_;
  };

  Result<std::unique_ptr<DiskFile>> wrap(std::unique_ptr<DiskFile> file) {
    return std::unique_ptr<DiskFile>(std::make_unique<File>(disk_.space(), std::move(file)));
  }

  PatientDisk& disk_;
};

}  // namespace concerto::persist
