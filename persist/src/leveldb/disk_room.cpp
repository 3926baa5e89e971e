#include "disk_room.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "dir_entries.hpp"
#include "spare_log.hpp"

namespace concerto::persist {
namespace {

/// The reserve is made in small pieces, a few at each look, so that the log's syncs are not held
/// up.
constexpr std::uint64_t piece_bytes = std::uint64_t{512} << 10;
constexpr int pieces_at_once = 4;
/// A piece that is given up is this part of the wanted reserve. So is the piece that is kept for a
/// start.
constexpr std::uint64_t pieces_of_reserve = 64;
constexpr std::uint64_t given_bytes_min = std::uint64_t{64} << 10;
/// Added to each piece, so that a reserve of which pieces are gone never has the size of a whole
/// one.
constexpr std::uint64_t odd_bytes = 4096;

std::uint64_t size_of(const std::string& path) noexcept {
  std::error_code absent;
  const std::uint64_t size = std::filesystem::file_size(path, absent);
  return absent ? 0 : size;
}

/// No size is half of another one, so that the size of a reserve tells whether the reserve is
/// whole.
std::array<std::uint64_t, 3> reserve_sizes(std::uint64_t wanted) noexcept {
  return {wanted, wanted / 8 * 3, wanted / 16};
}

bool is_whole(std::uint64_t wanted, std::uint64_t held) noexcept {
  const auto sizes = reserve_sizes(wanted);
  return held > 0 && std::find(sizes.begin(), sizes.end(), held) != sizes.end();
}

std::string in_mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

std::uint64_t reserve_size_for(std::uint64_t wanted, std::uint64_t room) noexcept {
  for (const std::uint64_t size : reserve_sizes(wanted)) {
    if (room > wanted + 2 * size) return size;
  }
  return 0;
}

std::string reserve_path(const std::string& store) {
  return store + "/RESERVE";
}

std::uint64_t bytes_of_zeros(const std::string& store) noexcept {
  return size_of(spare_log_path(store)) + size_of(reserve_path(store));
}

Result<> remove_zeros(Disk& disk, const std::string& store) {
  for (const std::string& path : {spare_log_path(store), reserve_path(store)}) {
    CONCERTO_TRY(const EntryKind kind, kind_of(path));
    if (kind == EntryKind::file) CONCERTO_CHECK(disk.remove(path));
  }
  return ok();
}

DiskRoom::DiskRoom(Disk& disk, std::string store, const Limits& limits, Log log)
    : disk_(disk), store_(std::move(store)), limits_(limits), log_(std::move(log)) {}

void DiskRoom::look() {
  const auto free = disk_.free_bytes(store_);
  if (!free) return;  // not every file system reports it
  judge(*free);
  const std::uint64_t wanted = limits_.reserve_bytes;
  if (wanted == 0) return;
  const MutexLock lock(mutex_);
  // An operator may have removed the file to make room.
  held_bytes_ = size_of(reserve_path(store_));
  if (!std::exchange(looked_, true)) tell_no_future(*free);
  const bool is_full = *free < wanted / 4;
  if (is_full && is_whole(wanted, held_bytes_)) {
    const std::uint64_t half = held_bytes_ / 2;
    log_(LogLevel::error, "the disk of '" + store_ + "' is full: " + in_mebibytes(half) +
                              " of the store's reserve are given up");
    ignore_error(cut_to(half), "what there is stays, and the next look tries again");
    return;
  }
  const std::uint64_t fitting = is_short() ? 0 : reserve_size_for(wanted, *free + held_bytes_);
  if (!is_short()) told_giving_ = false;
  if (held_bytes_ < fitting) ignore_error(grow(fitting), "the next look tries again");
  tell_smaller(fitting);
}

/// Warns at a start if the room will soon be too small for new transactions, because the store's
/// own files will take some of it.
void DiskRoom::tell_no_future(std::uint64_t free) {
  const std::uint64_t wanted = limits_.reserve_bytes;
  if (free + bytes_of_zeros(store_) >= wanted + wanted / 4) return;
  log_(LogLevel::error, "the disk of '" + store_ +
                            "' has room for new transactions for a short time at most, unless some "
                            "is made: they need " +
                            in_mebibytes(wanted) + " free beside what the store takes, and " +
                            in_mebibytes(free) + " are free now");
}

bool DiskRoom::give_up_piece(std::uint64_t wanted) {
  const MutexLock lock(mutex_);
  const std::uint64_t part = limits_.reserve_bytes / pieces_of_reserve;
  const bool serves = keeps_last_.load(std::memory_order_relaxed);
  const std::uint64_t kept = serves ? part : 0;
  const std::uint64_t held = size_of(reserve_path(store_));
  if (held <= kept || (serves && held - kept < wanted)) return false;
  const std::uint64_t piece = std::max(part, given_bytes_min) + odd_bytes;
  const std::uint64_t left = held - std::min(piece, held - kept);
  if (!std::exchange(told_giving_, true)) {
    log_(LogLevel::error, "the disk of '" + store_ + "' is full: the store goes on with the " +
                              in_mebibytes(held) + " of its reserve");
  }
  return cut_to(left).has_value();
}

/// Logs once that the disk has no room for the whole reserve, and how much is held back.
void DiskRoom::tell_smaller(std::uint64_t fitting) {
  const bool is_smaller = fitting < limits_.reserve_bytes && held_bytes_ == fitting;
  if (!is_smaller || told_bytes_ == held_bytes_) return;
  told_bytes_ = held_bytes_;
  const std::string held = held_bytes_ == 0 ? "nothing is" : in_mebibytes(held_bytes_) + " are";
  log_(LogLevel::warn, "the disk of '" + store_ + "' has no room for a reserve of " +
                           in_mebibytes(limits_.reserve_bytes) + ": " + held +
                           " held back for a start on a full disk");
}

// The shortage begins and ends at different amounts, so that it does not come and go all the time.
void DiskRoom::judge(std::uint64_t free) {
  free_.store(free, std::memory_order_relaxed);
  const std::string left = in_mebibytes(free) + " are free on the disk of '" + store_ + "'";
  const std::uint64_t wanted = limits_.reserve_bytes;
  const bool short_now = free < (is_short() ? wanted + wanted / 4 : wanted);
  if (short_.exchange(short_now) != short_now) {
    log_(short_now ? LogLevel::error : LogLevel::info,
         short_now ? left + ": new transactions are refused, and those that are there go on"
                   : left + ": new transactions are taken again");
  }
  const bool low_now = free < limits_.free_bytes_min;
  if (low_.exchange(low_now) != low_now && !short_now) {
    const std::string limit = "Store.FreeBytesMin (" + in_mebibytes(limits_.free_bytes_min) + ")";
    log_(low_now ? LogLevel::warn : LogLevel::info,
         left + (low_now ? ", which is less than " : ", which is no longer less than ") + limit);
  }
}

Result<> DiskRoom::grow(std::uint64_t size) {
  const std::string path = reserve_path(store_);
  CONCERTO_TRY(const auto file, held_bytes_ > 0 ? disk_.open(path) : disk_.create(path));
  for (int piece = 0; piece < pieces_at_once && held_bytes_ < size; ++piece) {
    const std::string zeros(std::min(piece_bytes, size - held_bytes_), '\0');
    CONCERTO_CHECK(file->write(held_bytes_, zeros));
    CONCERTO_CHECK(file->sync());
    held_bytes_ += zeros.size();
  }
  return ok();
}

Result<> DiskRoom::cut_to(std::uint64_t kept) {
  CONCERTO_TRY(const auto file, disk_.open(reserve_path(store_)));
  CONCERTO_CHECK(file->truncate(kept));
  held_bytes_ = kept;
  // Some file systems give room back only once the change is durable.
  return file->sync();
}

}  // namespace concerto::persist
