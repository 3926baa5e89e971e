#include "group_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "crc32c.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

constexpr std::string_view group_file_begin = "concerto-groups 1\n";
constexpr std::size_t entry_head_bytes = 8 + 4 + 4;
/// A group that has 512 KiB takes no further record, and a record has at most 32 MiB.
constexpr std::size_t group_value_bytes_max = std::size_t{40} << 20;
constexpr std::size_t write_bytes = std::size_t{256} << 10;
constexpr std::uint64_t backup_sync_bytes = std::uint64_t{2} << 20;

/// Reads a file from its begin, in pieces.
class PieceReader {
 public:
  explicit PieceReader(std::string path)
      : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~PieceReader() {
    if (fd_ >= 0) ::close(fd_);
  }
  PieceReader(const PieceReader&) = delete;
  PieceReader& operator=(const PieceReader&) = delete;

  Result<> check() const {
    if (fd_ < 0) return errno == ENOENT ? Result<>(missing(path_)) : failed("cannot open");
    return ok();
  }

  /// The next `count` bytes. Fewer at the end of the file.
  Result<std::string_view> take(std::size_t count) {
    if (buffer_.size() - used_ < count) {
      buffer_.erase(0, used_);
      used_ = 0;
      CONCERTO_CHECK(fill(count));
    }
    const std::string_view taken = std::string_view(buffer_).substr(used_, count);
    used_ += taken.size();
    checksum_ = crc32c(checksum_, taken);
    bytes_ += taken.size();
    return taken;
  }

  std::uint32_t checksum() const noexcept { return checksum_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  Result<> failed(const char* what) const { return system_failure(what, path_); }

  /// Reads on until the buffer has `count` bytes, or the file ends.
  Result<> fill(std::size_t count) {
    while (buffer_.size() < count) {
      const std::size_t had = buffer_.size();
      buffer_.resize(std::max(count, write_bytes));
      const ssize_t got = ::read(fd_, buffer_.data() + had, buffer_.size() - had);
      buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed("cannot read");
      if (got == 0) break;
    }
    return ok();
  }

  const std::string path_;
  const int fd_;
  std::string buffer_;
  std::size_t used_ = 0;  ///< bytes of the buffer that were taken
  std::uint32_t checksum_ = 0;
  std::uint64_t bytes_ = 0;
};

std::string entry_head(std::uint64_t group, std::string_view value) {
  std::string head;
  Encoder out(head);
  out.u64(group);
  out.u32(static_cast<std::uint32_t>(value.size()));
  return head;
}

}  // namespace

std::uint32_t group_checksum(std::uint64_t group, std::string_view value) {
  return crc32c(crc32c(0, entry_head(group, value)), value);
}

Result<GroupFileWriter> GroupFileWriter::create(Disk& disk, const std::string& directory,
                                                std::string name) {
  GroupFileWriter writer;
  CONCERTO_TRY(writer.file_, disk.create(directory + "/" + name));
  writer.facts_.name = std::move(name);
  writer.buffer_ = group_file_begin;
  return writer;
}

Result<> GroupFileWriter::add(std::uint64_t group, std::string_view value) {
  if (facts_.first_group == 0) facts_.first_group = group;
  facts_.last_group = group;
  buffer_ += entry_head(group, value);
  Encoder(buffer_).u32(group_checksum(group, value));
  buffer_ += value;
  if (buffer_.size() < write_bytes) return ok();
  CONCERTO_CHECK(write(buffer_));
  buffer_.clear();
  if (unsynced_ < backup_sync_bytes) return ok();
  unsynced_ = 0;
  return file_->sync();
}

Result<> GroupFileWriter::write(std::string_view bytes) {
  CONCERTO_CHECK(file_->write(facts_.bytes, bytes));
  facts_.checksum = crc32c(facts_.checksum, bytes);
  facts_.bytes += bytes.size();
  unsynced_ += bytes.size();
  return ok();
}

Result<BackupManifest::File> GroupFileWriter::end() {
  CONCERTO_CHECK(write(buffer_));
  buffer_.clear();
  CONCERTO_CHECK(file_->sync());
  return facts_;
}

Result<> read_group_file(const std::string& backup, const BackupManifest::File& expected,
                         const UseGroup& use) {
  const std::string path = backup + "/" + expected.name;
  PieceReader in(path);
  CONCERTO_CHECK(in.check());
  CONCERTO_TRY(const std::string_view begin, in.take(group_file_begin.size()));
  if (begin != group_file_begin) return damaged(path, "it is not a file of groups");
  for (std::uint64_t group = expected.first_group; group <= expected.last_group; ++group) {
    const auto bad = [&](const char* why) {
      return damaged(path, "group " + std::to_string(group) + " " + why);
    };
    CONCERTO_TRY(const std::string_view head, in.take(entry_head_bytes));
    Decoder decoder(head);
    const std::uint64_t number = decoder.u64();
    const std::size_t length = decoder.u32();
    const std::uint32_t checksum = decoder.u32();
    if (!decoder.done()) return bad("is missing: the file ends before it");
    if (number != group || length > group_value_bytes_max) return bad("does not begin there");
    CONCERTO_TRY(const std::string_view value, in.take(length));
    if (value.size() != length) return bad("is not complete: the file ends in it");
    if (group_checksum(group, value) != checksum) return bad("does not pass its checks");
    CONCERTO_CHECK(use(group, value));
  }
  CONCERTO_TRY(const std::string_view rest, in.take(1));
  if (!rest.empty() || in.bytes() != expected.bytes) {
    return damaged(path, "it does not have " + std::to_string(expected.bytes) + " bytes");
  }
  if (in.checksum() != expected.checksum) return damaged(path, "its checksum is wrong");
  return ok();
}

}  // namespace concerto::persist
