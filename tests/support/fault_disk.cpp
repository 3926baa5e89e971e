#include "fault_disk.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <utility>

#include "file_content.hpp"
#include "leveldb/descriptor_reserve.hpp"

namespace concerto::test {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t sector_bytes = 512;

std::uint64_t size_of(const std::string& path) {
  std::error_code none;
  const auto size = fs::file_size(path, none);
  return none ? 0 : size;
}

}  // namespace

class FaultDisk::File final : public persist::DiskFile {
 public:
  File(FaultDisk& disk, std::string path, std::uint64_t id, std::unique_ptr<DiskFile> file)
      : disk_(disk), path_(std::move(path)), id_(id), file_(std::move(file)) {}

  Result<> write(std::uint64_t offset, std::string_view data) override {
    const std::lock_guard lock(disk_.mutex_);
    CONCERTO_CHECK(disk_.step(Operation::write, path_));
    remember(offset, data.size());
    return file_->write(offset, data);
  }

  Result<> sync() override {
    const std::lock_guard lock(disk_.mutex_);
    CONCERTO_CHECK(disk_.step(Operation::sync, path_));
    std::erase_if(disk_.undo_, [this](const Undo& undo) { return undo.file == id_; });
    return ok();
  }

  Result<> truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    CONCERTO_CHECK(disk_.step(Operation::other, path_));
    const std::uint64_t old_size = size_of(path_);
    if (old_size > size) remember(size, old_size - size);
    return file_->truncate(size);
  }

 private:
  void remember(std::uint64_t offset, std::uint64_t count) {
    Undo undo;
    undo.file = id_;
    undo.offset = offset;
    undo.size = size_of(path_);
    if (offset < undo.size) {
      std::ifstream in(path_, std::ios::binary);
      in.seekg(static_cast<std::streamoff>(offset));
      undo.bytes.resize(std::min(count, undo.size - offset));
      in.read(undo.bytes.data(), static_cast<std::streamsize>(undo.bytes.size()));
    }
    disk_.undo_.push_back(std::move(undo));
  }

  FaultDisk& disk_;
  const std::string path_;
  const std::uint64_t id_;
  std::unique_ptr<DiskFile> file_;
};

void FaultDisk::fail_at(std::uint64_t nth, Fault fault) {
  const std::lock_guard lock(mutex_);
  countdown_ = nth;
  fault_ = fault;
  faulted_ = false;
}

void FaultDisk::heal() {
  const std::lock_guard lock(mutex_);
  countdown_ = 0;
  faulted_ = false;
}

void FaultDisk::tell_free(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  told_free_ = bytes;
}

bool FaultDisk::faulted() const {
  const std::lock_guard lock(mutex_);
  return faulted_;
}

Result<> FaultDisk::step(Operation operation, const std::string& path) {
  bool first = false;
  if (countdown_ > 0 && --countdown_ == 0) faulted_ = first = true;
  if (!faulted_) return ok();
  const auto failed = [&path](const char* why) {
    return make_error(EngineErrc::store_failed, "cannot write '" + path + "': " + why);
  };
  switch (fault_) {
    case Fault::power_loss:
      return failed("no power");
    case Fault::fail_once:
      if (first) return failed("input/output error");
      return ok();
    case Fault::fail_syncs:
      if (operation == Operation::sync) return failed("input/output error");
      return ok();
    case Fault::full:
      if (operation == Operation::write) return failed("the disk is full: No space left on device");
      return ok();
    case Fault::no_descriptors:
      if (operation == Operation::open) return persist::no_descriptor("cannot open '" + path + "'");
      return ok();
  }
  return ok();
}

std::uint64_t FaultDisk::file_id(const std::string& path) {
  const auto known = ids_.find(path);
  return known != ids_.end() ? known->second : ids_[path] = next_id_++;
}

Result<std::unique_ptr<persist::DiskFile>> FaultDisk::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::open, path));
  Undo undo;
  undo.dir = persist::parent_dir(path);
  undo.made = path;
  if (fs::exists(path)) {
    undo.gone = path;
    undo.content = file_content(path);
  }
  undo_.push_back(std::move(undo));
  ids_.erase(path);
  CONCERTO_TRY(auto file, persist::posix_disk().create(path));
  return std::unique_ptr<persist::DiskFile>(
      std::make_unique<File>(*this, path, file_id(path), std::move(file)));
}

Result<std::unique_ptr<persist::DiskFile>> FaultDisk::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::open, path));
  CONCERTO_TRY(auto file, persist::posix_disk().open(path));
  return std::unique_ptr<persist::DiskFile>(
      std::make_unique<File>(*this, path, file_id(path), std::move(file)));
}

Result<> FaultDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::other, from));
  Undo undo;
  undo.dir = persist::parent_dir(to);
  undo.made = to;
  undo.made_from = from;
  if (fs::exists(to)) {
    undo.gone = to;
    undo.content = file_content(to);
  }
  undo_.push_back(std::move(undo));
  ids_[to] = file_id(from);
  ids_.erase(from);
  return persist::posix_disk().rename(from, to);
}

Result<> FaultDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::other, path));
  Undo undo;
  undo.dir = persist::parent_dir(path);
  undo.gone = path;
  undo.content = file_content(path);
  undo_.push_back(std::move(undo));
  ids_.erase(path);
  return persist::posix_disk().remove(path);
}

Result<> FaultDisk::create_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::other, path));
  if (!fs::exists(path)) {
    Undo undo;
    undo.dir = persist::parent_dir(path);
    undo.made = path;
    undo_.push_back(std::move(undo));
  }
  return persist::posix_disk().create_dir(path);
}

Result<> FaultDisk::remove_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::other, path));
  Undo undo;
  undo.dir = persist::parent_dir(path);
  undo.gone = path;
  undo_.push_back(std::move(undo));
  return persist::posix_disk().remove_dir(path);
}

Result<std::uint64_t> FaultDisk::free_bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (told_free_) return *told_free_;
  return persist::posix_disk().free_bytes(path);
}

Result<> FaultDisk::sync_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  CONCERTO_CHECK(step(Operation::sync, path));
  std::erase_if(undo_, [&path](const Undo& undo) { return undo.dir == path; });
  return ok();
}

void FaultDisk::restart(Memory memory, std::uint32_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  if (memory != Memory::keeps) {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
      take_back(*undo, memory, random);
    }
  }
  undo_.clear();
  ids_.clear();
  countdown_ = 0;
  faulted_ = false;
}

void FaultDisk::take_back(const Undo& undo, Memory memory, std::mt19937& random) {
  if (undo.file != 0) {
    take_back_write(undo, memory, random);
  } else if (memory == Memory::forgets) {
    take_back_entry(undo);
  }
}

void FaultDisk::take_back_write(const Undo& undo, Memory memory, std::mt19937& random) {
  const auto file = std::find_if(ids_.begin(), ids_.end(),
                                 [&undo](const auto& known) { return known.second == undo.file; });
  if (file == ids_.end() || !fs::exists(file->first)) return;
  std::string content = file_content(file->first);
  if (memory == Memory::forgets) {
    content.resize(undo.size);
    content.replace(undo.offset, undo.bytes.size(), undo.bytes);
  } else {
    for (std::size_t at = 0; at < undo.bytes.size(); at += sector_bytes) {
      if (random() % 2 == 0 || undo.offset + at >= content.size()) continue;
      const std::string_view sector = std::string_view(undo.bytes).substr(at, sector_bytes);
      content.replace(undo.offset + at, sector.size(), sector);
    }
  }
  set_file_content(file->first, content);
}

void FaultDisk::take_back_entry(const Undo& undo) {
  if (!fs::is_directory(undo.dir)) return;  // the directory was removed for good
  if (!undo.made_from.empty()) {
    if (fs::exists(undo.made)) fs::rename(undo.made, undo.made_from);
    ids_[undo.made_from] = file_id(undo.made);
    ids_.erase(undo.made);
  } else if (!undo.made.empty()) {
    fs::remove_all(undo.made);
    ids_.erase(undo.made);
  }
  if (undo.gone.empty()) return;
  if (undo.content) {
    set_file_content(undo.gone, *undo.content);
  } else {
    fs::create_directory(undo.gone);
  }
}

}  // namespace concerto::test
