#pragma once

#include "descriptor_reserve.hpp"
#include "disk.hpp"
#include "space_reserve.hpp"

namespace concerto::persist {

/// A disk on which an open that finds no free descriptor does not fail while the reserve can help.
/// Thread-safe.
class PatientDisk final : public Disk {
 public:
  explicit PatientDisk(Disk& disk) : disk_(disk), reserve_(reserve_descriptors) {}

  DescriptorReserve& reserve() noexcept { return reserve_; }
  /// For operations that need room (see RoomyDisk). Here an operation without room fails at once.
  SpaceReserve& space() noexcept { return space_; }

  Result<std::unique_ptr<DiskFile>> create(const std::string& path) override {
    return reserve_.open([&] { return disk_.create(path); });
  }
  Result<std::unique_ptr<DiskFile>> open(const std::string& path) override {
    return reserve_.open([&] { return disk_.open(path); });
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  Result<> remove(const std::string& path) override { return disk_.remove(path); }
  Result<> create_dir(const std::string& path) override { return disk_.create_dir(path); }
  Result<> remove_dir(const std::string& path) override { return disk_.remove_dir(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return disk_.free_bytes(path);
  }
  Result<> sync_dir(const std::string& path) override {
    return reserve_.open([&] { return disk_.sync_dir(path); });
  }

  /// More descriptors than the store needs at one time for files that are open for a moment.
  static constexpr std::size_t reserve_descriptors = 8;

 private:
  Disk& disk_;
  DescriptorReserve reserve_;
  SpaceReserve space_;
};

}  // namespace concerto::persist
