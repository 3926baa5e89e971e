#include "rotating_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <vector>
#include <zlib.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace concerto::tools {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using WallClock = std::chrono::system_clock;

constexpr std::string_view key = "Log.RotationConfigJSON";

Error bad_rotation(const std::string& what) {
  return make_error(Errc::invalid_request, std::string{key} + ": " + what);
}

constexpr std::array<std::string_view, 6> members{"maxsize",   "maxage",   "maxbackups",
                                                  "localtime", "compress", "filename"};

/// The member that Go's reader sets for the name `written`; empty if it sets none.
std::string_view member_named(std::string_view written) {
  for (const std::string_view name : members) {
    const bool same = std::ranges::equal(written, name, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
    if (same) return name;
  }
  return {};
}

Result<> set_member(Rotation& rotation, std::string_view name, const json::value& value) {
  constexpr std::int64_t count_max = 1'000'000;
  const bool is_count = value.is_int64() && value.as_int64() >= 0 && value.as_int64() <= count_max;
  const auto count = is_count ? static_cast<std::uint32_t>(value.as_int64()) : 0U;
  if (name == "filename" || value.is_null()) return ok();  // Log.Outputs names the file
  if (name == "localtime" || name == "compress") {
    if (!value.is_bool()) {
      return bad_rotation(std::string{name} + ": expected true or false, found " +
                          json::serialize(value));
    }
    (name == "compress" ? rotation.compress : rotation.local_time) = value.as_bool();
    return ok();
  }
  if (!is_count) {
    return bad_rotation(std::string{name} + ": expected a number, found " + json::serialize(value));
  }
  if (name == "maxage") rotation.age_max = std::chrono::days{count};
  if (name == "maxbackups") rotation.files_max = count;
  if (name == "maxsize" && count > 0) rotation.bytes_max = std::uintmax_t{count} << 20;
  return ok();
}

// If anything fails, the plain file stays: a log is worth more than room on the disk.
void compress(const fs::path& plain) {
  const fs::path packed = plain.string() + ".gz";
  std::ifstream input{plain, std::ios::binary};
  gzFile output = ::gzopen(packed.c_str(), "wb");
  bool written = input.is_open() && output != nullptr;
  std::array<char, 1 << 16> buffer;
  while (written && input) {
    input.read(buffer.data(), buffer.size());
    const auto count = static_cast<unsigned>(input.gcount());
    written = ::gzwrite(output, buffer.data(), count) == static_cast<int>(count);
  }
  if (output != nullptr) written = ::gzclose(output) == Z_OK && written;
  std::error_code ignored;
  fs::remove(written ? plain : packed, ignored);
}

}  // namespace

Result<Rotation> rotation_from_json(const std::string& text, std::vector<std::string>& unknown) {
  error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object())
    return bad_rotation("expected a JSON object, found '" + text + "'");
  Rotation rotation;
  for (const auto& member : value.as_object()) {
    const std::string_view written{member.key().data(), member.key().size()};
    const std::string_view name = member_named(written);
    if (name.empty()) {
      unknown.emplace_back(written);
    } else {
      CONCERTO_CHECK(set_member(rotation, name, member.value()));
    }
  }
  return rotation;
}

RotatingFile::RotatingFile(fs::path file, const Rotation& rotation)
    : path_(std::move(file)), rotation_(rotation), asides_(path_, rotation) {
  const Result<> opened = open();
  if (!opened) spdlog::throw_spdlog_ex(opened.error().detail);
}

Result<> RotatingFile::reopen() {
  const std::lock_guard lock{mutex_};
  return open();
}

/// If the new file cannot be opened, the old one stays open.
Result<> RotatingFile::open() {
  std::error_code ignored;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), ignored);
  std::unique_ptr<std::FILE, Close> fresh(std::fopen(path_.c_str(), "abe"));
  if (!fresh) {
    const error_code reason(errno, boost::system::generic_category());
    return Error{reason, "cannot open " + path_.string() + ": " + reason.message()};
  }
  file_ = std::move(fresh);
  const auto size = fs::file_size(path_, ignored);
  bytes_ = ignored ? 0 : size;
  return ok();
}

void RotatingFile::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (bytes_ > 0 && bytes_ + line.size() > rotation_.bytes_max) rotate(message.time);
  bytes_ += line.size();
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) {
    spdlog::throw_spdlog_ex("cannot write " + path_.string(), errno);
  }
}

void RotatingFile::flush_() {
  std::fflush(file_.get());
}

void RotatingFile::rotate(WallClock::time_point now) {
  const fs::path aside = asides_.new_name(now);
  std::error_code failed;
  fs::rename(path_, aside, failed);
  // Without a new file, lines go on to the old one, which has only lost its name.
  if (!open()) return;
  if (!failed && rotation_.compress) compress(aside);
  asides_.remove_old(now);
}

}  // namespace concerto::tools
