#include "backup_manifest.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <concerto/base/json_text.hpp>
#include <concerto/base/json_tree.hpp>

#include "crc32c.hpp"
#include "dir_entries.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

/// What stands before the checksum. The checksum covers everything before this text.
constexpr std::string_view checksum_begin = ",\n  \"checksum\": \"";

std::string hex_text(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", value);
  return text;
}

/// Writes the members of a JSON object. Numbers of 64 bits may exceed what JavaScript keeps, but
/// every reader of 64-bit integers has them exactly.
class Members {
 public:
  Members(std::string& out, std::string separator) : out_(out), separator_(std::move(separator)) {}

  void number(std::string_view name, std::uint64_t value) { raw(name, std::to_string(value)); }
  void time(std::string_view name, WallTime value) {
    raw(name, std::to_string(value.time_since_epoch().count()));
  }
  void text(std::string_view name, std::string_view value) {
    std::string quoted;
    append_json_string(quoted, value);
    raw(name, quoted);
  }
  void raw(std::string_view name, std::string_view json) {
    if (!first_) out_ += ",";
    if (!first_ || separator_.front() == '\n') out_ += separator_;
    first_ = false;
    append_json_string(out_, name);
    out_.append(": ").append(json);
  }

 private:
  std::string& out_;
  const std::string separator_;
  bool first_ = true;
};

std::string to_json(const SegmentState& segment) {
  std::string json = "{";
  Members members(json, " ");
  members.number("number", segment.number);
  members.number("firstGroup", segment.first_group);
  members.number("firstSequence", segment.first_sequence);
  members.time("openedNs", segment.opened);
  members.time("newestFinishNs", segment.newest_finish);
  members.time("newestFailureNs", segment.newest_failure);
  return json + "}";
}

std::string to_json(const BackupManifest::File& file) {
  std::string json = "{";
  Members members(json, " ");
  members.text("name", file.name);
  members.number("bytes", file.bytes);
  members.text("crc32c", hex_text(file.checksum));
  members.number("firstGroup", file.first_group);
  members.number("lastGroup", file.last_group);
  return json + "}";
}

template <class Item>
std::string to_json(const std::vector<Item>& items) {
  std::string json = "[";
  for (const Item& item : items) json += (json.size() > 1 ? ",\n    " : "\n    ") + to_json(item);
  return json + (items.empty() ? "]" : "\n  ]");
}

/// Reads the members of a JSON object. What is missing or of another kind is noted.
class MemberReader {
 public:
  MemberReader(JsonValue object, std::string& wrong) : object_(object), wrong_(wrong) {
    if (!object.is(JsonKind::object)) wrong_ = "a member is no object";
  }

  std::uint64_t number(std::string_view name) {
    const auto value = find(name);
    if (value && value->is(JsonKind::natural)) return value->natural();
    if (value && value->is(JsonKind::integer) && value->integer() >= 0) {
      return static_cast<std::uint64_t>(value->integer());
    }
    return miss<std::uint64_t>(name);
  }
  WallTime time(std::string_view name) {
    const auto value = find(name);
    if (!value || !value->is(JsonKind::integer)) return miss<WallTime>(name);
    return WallTime{std::chrono::nanoseconds{value->integer()}};
  }
  std::string text(std::string_view name) {
    const auto value = find(name);
    if (!value || !value->is(JsonKind::text)) return miss<std::string>(name);
    return std::string(value->text());
  }
  std::uint32_t checksum(std::string_view name) {
    const std::string digits = text(name);
    unsigned value = 0;
    if (digits.size() != 8 || std::sscanf(digits.c_str(), "%8x", &value) != 1) {
      return miss<std::uint32_t>(name);
    }
    return value;
  }
  std::optional<JsonValue> array(std::string_view name) {
    const auto value = find(name);
    if (!value || !value->is(JsonKind::array)) return miss<std::optional<JsonValue>>(name);
    return value;
  }

 private:
  std::optional<JsonValue> find(std::string_view name) const {
    return object_.is(JsonKind::object) ? object_.find(name) : std::nullopt;
  }
  template <class T>
  T miss(std::string_view name) {
    if (wrong_.empty()) wrong_ = "'" + std::string(name) + "' is missing or of another kind";
    return T{};
  }

  const JsonValue object_;
  std::string& wrong_;
};

SegmentState segment_of(JsonValue value, std::string& wrong) {
  MemberReader in(value, wrong);
  SegmentState segment;
  segment.number = in.number("number");
  segment.first_group = in.number("firstGroup");
  segment.first_sequence = in.number("firstSequence");
  segment.opened = in.time("openedNs");
  segment.newest_finish = in.time("newestFinishNs");
  segment.newest_failure = in.time("newestFailureNs");
  return segment;
}

BackupManifest::File file_of(JsonValue value, std::string& wrong) {
  MemberReader in(value, wrong);
  BackupManifest::File file;
  file.name = in.text("name");
  file.bytes = in.number("bytes");
  file.checksum = in.checksum("crc32c");
  file.first_group = in.number("firstGroup");
  file.last_group = in.number("lastGroup");
  if (wrong.empty() && !check_backup_name("name", file.name)) wrong = "a file has an odd name";
  return file;
}

/// The whole text of a manifest whose members before the checksum are given.
std::string with_checksum_of(std::string json) {
  const std::uint32_t checksum = crc32c(0, json);
  return json.append(checksum_begin).append(hex_text(checksum)).append("\"\n}\n");
}

/// What has to be true of every manifest, so that readers need not look again.
std::string what_is_odd(const BackupManifest& manifest) {
  if (manifest.segments.empty()) return "it names no segment";
  for (std::size_t i = 1; i < manifest.segments.size(); ++i) {
    const SegmentState& before = manifest.segments[i - 1];
    const SegmentState& segment = manifest.segments[i];
    if (segment.number <= before.number || segment.first_group < before.first_group) {
      return "its segments are not in order";
    }
  }
  std::uint64_t expected = manifest.first_group;
  for (const BackupManifest::File& file : manifest.files) {
    if (file.first_group != expected || file.last_group < file.first_group) {
      return "its files do not follow each other";
    }
    expected = file.last_group + 1;
  }
  if (!manifest.files.empty() && expected != manifest.last_group + 1) {
    return "its files do not end with its last group";
  }
  if (manifest.files.empty() != (manifest.first_group == 0)) return "it has no files";
  return {};
}

}  // namespace

BackupReport BackupManifest::report(std::string name) const {
  BackupReport report;
  report.name = std::move(name);
  report.base = base;
  report.created = created;
  report.first_group = first_group;
  report.last_group = last_group;
  for (const File& file : files) report.bytes += file.bytes;
  return report;
}

std::string encode(const BackupManifest& manifest) {
  std::string json = "{";
  Members members(json, "\n  ");
  members.number("format", manifest.format);
  members.number("storeFormat", manifest.store_format);
  members.text("store", manifest.store);
  members.time("createdNs", manifest.created);
  members.text("identityCrc32c", hex_text(manifest.identity_checksum));
  members.number("firstGroup", manifest.first_group);
  members.number("lastGroup", manifest.last_group);
  members.text("lastGroupCrc32c", hex_text(manifest.last_checksum));
  members.text("base", manifest.base);
  members.text("baseCrc32c", hex_text(manifest.base_checksum));
  members.raw("segments", to_json(manifest.segments));
  members.raw("files", to_json(manifest.files));
  return with_checksum_of(std::move(json));
}

Result<BackupManifest> parse_manifest(const std::string& path, const std::string& content) {
  JsonTree tree;
  if (const Result<> parsed = tree.parse(content); !parsed) {
    return damaged(path, parsed.error().detail);
  }
  std::string wrong;
  MemberReader in(tree.root(), wrong);
  BackupManifest manifest;
  // The format comes first: the rest may look different in another one.
  const std::uint64_t format = in.number("format");
  const std::uint64_t store_format = in.number("storeFormat");
  if (wrong.empty() && (format > backup_format || store_format > format_version)) {
    return make_error(Errc::not_supported,
                      "'" + path + "' says format " + std::to_string(format) +
                          " of a store with format " + std::to_string(store_format) +
                          "; this version reads up to " + std::to_string(backup_format) + " and " +
                          std::to_string(format_version));
  }
  const auto end = content.rfind(checksum_begin);
  if (end == content.npos || with_checksum_of(content.substr(0, end)) != content) {
    return damaged(path, "its checksum is wrong");
  }
  manifest.format = static_cast<std::uint32_t>(format);
  manifest.store_format = static_cast<std::uint32_t>(store_format);
  manifest.store = in.text("store");
  manifest.created = in.time("createdNs");
  manifest.identity_checksum = in.checksum("identityCrc32c");
  manifest.first_group = in.number("firstGroup");
  manifest.last_group = in.number("lastGroup");
  manifest.last_checksum = in.checksum("lastGroupCrc32c");
  manifest.base = in.text("base");
  manifest.base_checksum = in.checksum("baseCrc32c");
  if (const auto segments = in.array("segments")) {
    for (const JsonValue value : *segments) manifest.segments.push_back(segment_of(value, wrong));
  }
  if (const auto files = in.array("files")) {
    for (const JsonValue value : *files) manifest.files.push_back(file_of(value, wrong));
  }
  if (wrong.empty() && !manifest.base.empty() && !check_backup_name("base", manifest.base)) {
    wrong = "its base has an odd name";
  }
  if (wrong.empty()) wrong = what_is_odd(manifest);
  if (!wrong.empty()) return damaged(path, wrong);
  return manifest;
}

Result<StoredManifest> read_manifest(const std::string& backup) {
  const std::string path = manifest_path(backup);
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  if (kind != EntryKind::file) {
    return make_error(EngineErrc::store_unavailable,
                      "'" + backup + "' is not a complete backup: '" + path + "' is missing");
  }
  CONCERTO_TRY(const std::string content, read_file(path));
  StoredManifest stored;
  CONCERTO_TRY(stored.manifest, parse_manifest(path, content));
  stored.checksum = crc32c(0, content);
  return stored;
}

std::string manifest_path(const std::string& backup) {
  return backup + "/MANIFEST.json";
}

std::string store_mark(const FingerprintKey& key) {
  const Fingerprint mark = fingerprint(key, "the store of a backup");
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx", static_cast<unsigned long long>(mark.high),
                static_cast<unsigned long long>(mark.low));
  return text;
}

}  // namespace concerto::persist
