#pragma once

#include <memory>
#include <string>

#include "leveldb/disk.hpp"

namespace concerto::test {

/// A disk that passes all calls to the operating system, for tests that change or watch some of the
/// calls.
class PassingDisk : public persist::Disk {
 public:
  Result<std::unique_ptr<persist::DiskFile>> create(const std::string& path) override {
    return real_.create(path);
  }
  Result<std::unique_ptr<persist::DiskFile>> open(const std::string& path) override {
    return real_.open(path);
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<> remove(const std::string& path) override { return real_.remove(path); }
  Result<> create_dir(const std::string& path) override { return real_.create_dir(path); }
  Result<> remove_dir(const std::string& path) override { return real_.remove_dir(path); }
  Result<> sync_dir(const std::string& path) override { return real_.sync_dir(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return real_.free_bytes(path);
  }

 private:
  persist::Disk& real_ = persist::posix_disk();
};

}  // namespace concerto::test
