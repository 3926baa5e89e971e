#include "store_files.hpp"

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "crc32c.hpp"

namespace concerto::persist {
namespace {

std::string hex(std::uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof(text), "%0*" PRIx64, digits, value);
  return text;
}

std::string with_checksum(std::string content) {
  const std::string checksum = hex(crc32c(0, content), 8);
  return content + "checksum " + checksum + "\n";
}

/// The lines before the checksum, if the checksum is right.
Result<std::string> checked_lines(const std::string& path, const std::string& content) {
  const auto at = content.rfind("checksum ");
  if (at == content.npos) return damaged(path, "it has no checksum");
  const std::string lines = content.substr(0, at);
  if (with_checksum(lines) != content) return damaged(path, "its checksum is wrong");
  return lines;
}

std::int64_t nanoseconds(WallTime time) {
  return time.time_since_epoch().count();
}
WallTime wall_time(std::int64_t ns) {
  return WallTime{std::chrono::nanoseconds{ns}};
}

}  // namespace

Error damaged(const std::string& path, const std::string& what) {
  return make_error(EngineErrc::store_damaged, "'" + path + "' is damaged: " + what);
}

Error missing(const std::string& path) {
  return make_error(EngineErrc::store_damaged, "'" + path + "' is missing");
}

std::string encode(const StoreIdentity& identity) {
  return with_checksum("concerto-store " + std::to_string(identity.format) + "\nkey " +
                       hex(identity.key[0], 16) + hex(identity.key[1], 16) + "\n");
}

Result<StoreIdentity> parse_identity(const std::string& path, const std::string& content) {
  // The format comes first: the rest may look different in another one.
  StoreIdentity identity;
  std::istringstream in(content);
  std::string word;
  if (!(in >> word >> identity.format) || word != "concerto-store") {
    return damaged(path, "it is not the identity of a store");
  }
  if (identity.format > format_version) {
    return make_error(Errc::not_supported,
                      "'" + path + "' says format " + std::to_string(identity.format) +
                          "; this version reads up to " + std::to_string(format_version));
  }
  CONCERTO_CHECK(checked_lines(path, content));
  std::string key;
  if (!(in >> word >> key) || word != "key" || key.size() != 32) {
    return damaged(path, "it has no key");
  }
  for (std::size_t i = 0; i < identity.key.size(); ++i) {
    const char* const begin = key.data() + 16 * i;
    const auto [end, wrong] = std::from_chars(begin, begin + 16, identity.key[i], 16);
    if (wrong != std::errc{} || end != begin + 16) return damaged(path, "its key is no number");
  }
  return identity;
}

std::string encode(const StoreState& state) {
  std::ostringstream out;
  for (const SegmentState& segment : state.segments) {
    out << "segment " << segment.number << ' ' << segment.first_group << ' '
        << segment.first_sequence << ' ' << nanoseconds(segment.opened) << ' ' << segment.sealed
        << ' ' << nanoseconds(segment.newest_finish) << '\n'
        << "failures " << nanoseconds(segment.newest_failure) << '\n';
  }
  out << "checkpoint " << state.checkpoint_first << ' ' << state.checkpoint_end << '\n';
  out << "clean " << state.clean << ' ' << state.clean_last_group << '\n';
  return with_checksum(out.str());
}

Result<StoreState> parse_state(const std::string& path, const std::string& content) {
  CONCERTO_TRY(const std::string lines, checked_lines(path, content));
  StoreState state;
  std::istringstream in(lines);
  for (std::string word; in >> word;) {
    if (word == "segment") {
      SegmentState segment;
      std::int64_t opened = 0, newest_finish = 0;
      in >> segment.number >> segment.first_group >> segment.first_sequence >> opened >>
          segment.sealed >> newest_finish;
      segment.opened = wall_time(opened);
      segment.newest_finish = segment.newest_failure = wall_time(newest_finish);
      state.segments.push_back(segment);
    } else if (word == "failures" && !state.segments.empty()) {
      std::int64_t newest_failure = 0;
      in >> newest_failure;
      state.segments.back().newest_failure = wall_time(newest_failure);
    } else if (word == "checkpoint") {
      in >> state.checkpoint_first >> state.checkpoint_end;
    } else if (word == "clean") {
      in >> state.clean >> state.clean_last_group;
    } else {
      return damaged(path, "it has a line '" + word + "'");
    }
  }
  if (!in.eof() || state.segments.empty()) return damaged(path, "it names no segment");
  return state;
}

std::string identity_path(const std::string& store) {
  return store + "/IDENTITY";
}
std::string state_path(const std::string& store) {
  return store + "/STATE";
}
std::string lock_path(const std::string& store) {
  return store + "/LOCK";
}
std::string creating_path(const std::string& store) {
  return store + "/CREATING";
}

std::string segment_path(const std::string& store, std::uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof(name), "/segment-%06" PRIu64, number);
  return store + name;
}

}  // namespace concerto::persist
