#include "audit_lines.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <sys/stat.h>

#include <concerto/base/masked_url.hpp>

#include "line_text.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t page_bytes_max = std::size_t{1} << 20;
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t line_bytes_max = audit_gids_bytes_max + (std::size_t{256} << 10);

std::string shown(std::string_view text, std::size_t bytes_max = audit_text_bytes_max) {
  std::string masked =
      masked_urls(text);  // Before the cut, which may separate a password from its @.
  if (text.size() <= bytes_max) return json_text(masked);
  return json_text(masked.substr(0, bytes_max) + "..(cut)");
}

std::string_view name_of(net::AuditRecord::Event event) {
  using enum net::AuditRecord::Event;
  switch (event) {
    case begun:
      return "begun";
    case done:
      return "done";
    case failed:
      return "failed";
    case refused:
      return "refused";
  }
  return "";
}

/// As the log writes times: `2026-01-31T12:00:00.000Z`.
std::string time_text(WallTime now) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = millis / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return std::string{text.data(), length} + "." + std::to_string(1000 + millis % 1000).substr(1) +
         "Z";
}

constexpr std::string_view gids_member = ",\"gids\":[";

/// The gids of an action that names several, as a member of its line.
std::string gids_text(const std::vector<std::string>& gids) {
  if (gids.empty()) return {};
  std::string text{gids_member};
  std::size_t left_out = 0;
  for (const std::string& gid : gids) {
    const std::string next = shown(gid);
    if (left_out > 0 || text.size() + next.size() > audit_gids_bytes_max) {
      ++left_out;
      continue;
    }
    if (!text.ends_with('[')) text += ',';
    text += next;
  }
  text += ']';
  if (left_out > 0) text += ",\"gids_left_out\":" + std::to_string(left_out);
  return text;
}

/// What a line of a wanted record contains. A quote inside of a text is escaped, so that no text
/// can look like a member. A line may contain all of it, and yet name other gids: see has_gid.
class LineFilter {
 public:
  explicit LineFilter(const net::AuditQuery& query) {
    if (!query.gid.empty()) gid_ = shown(query.gid);
    if (!query.action.empty()) all_.push_back("\"action\":" + shown(query.action));
    if (query.caller.empty()) return;
    const std::string caller = shown(query.caller);
    const std::string bare = caller.substr(1, caller.size() - 2);
    // An address that a proxy has told has no port.
    callers_ = {"\"caller\":" + caller, "\"caller\":" + shown(query.caller, refused_text_bytes_max),
                "\"from\":" + caller, "\"from\":\"" + bare + ":", "\"from\":\"[" + bare + "]:"};
  }

  bool takes(std::string_view line) const {
    const auto has = [line](const std::string& part) {
      return line.find(part) != std::string_view::npos;
    };
    for (const std::string& part : all_) {
      if (!has(part)) return false;
    }
    if (!gid_.empty()) {
      const std::size_t gids = line.find(gids_member);
      const bool may_name = gids != std::string_view::npos && line.find(gid_, gids) != line.npos;
      if (!may_name && !has("\"gid\":" + gid_)) return false;
    }
    return callers_.empty() || std::ranges::any_of(callers_, has);
  }

 private:
  std::vector<std::string> all_;
  std::string gid_;  ///< as a line shows it; empty: any
  std::vector<std::string> callers_;
};

/// One file, read from its end.
class FileBackwards {
 public:
  /// `end`: where the reading begins; nothing: at the end of the file.
  FileBackwards(const std::filesystem::path& file, std::optional<std::uint64_t> end)
      : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat state {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &state) != 0) return;
    inode_ = state.st_ino;
    const auto size = static_cast<std::uint64_t>(state.st_size);
    end_ = begin_ = end ? std::min(*end, size) : size;
    in_long_line_ = end.has_value();  // unless a line ends here, as most pages do
  }
  ~FileBackwards() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FileBackwards(const FileBackwards&) = delete;
  FileBackwards& operator=(const FileBackwards&) = delete;

  std::uint64_t inode() const noexcept { return inode_; }
  /// Everything from here on has been returned.
  std::uint64_t end() const noexcept { return end_; }
  std::size_t scanned_bytes() const noexcept { return scanned_; }

  /// The line before the last one that was returned. Nothing at the beginning of the file, and once
  /// `scan_max` bytes of it were read; `end` is then where the next reading begins.
  std::optional<std::string_view> next(std::size_t scan_max) {
    while (!buffer_.empty() || begin_ > 0) {
      if (!buffer_.empty() && buffer_.back() == '\n') drop(1);
      std::size_t at = buffer_.rfind('\n');
      while (at == std::string::npos && begin_ > 0) {
        if (scanned_ >= scan_max || !read_chunk()) return std::nullopt;
        at = buffer_.rfind('\n');
      }
      const std::size_t begin = at == std::string::npos ? 0 : at + 1;
      line_.assign(buffer_, begin);
      drop(line_.size());
      if (std::exchange(in_long_line_, false)) continue;
      if (!line_.empty()) return line_;
    }
    return std::nullopt;
  }

 private:
  void drop(std::size_t bytes) {
    buffer_.resize(buffer_.size() - bytes);
    end_ -= bytes;
  }

  bool read_chunk() {
    if (buffer_.size() > line_bytes_max) {  // no line of an audit log
      drop(buffer_.size());
      in_long_line_ = true;
    }
    const std::size_t bytes = std::min<std::uint64_t>(chunk_bytes, begin_);
    std::string chunk(bytes, '\0');
    const ssize_t got =
        ::pread(descriptor_, chunk.data(), bytes, static_cast<::off_t>(begin_ - bytes));
    if (got != static_cast<ssize_t>(bytes)) return false;
    begin_ -= bytes;
    scanned_ += bytes;
    buffer_.insert(0, chunk);
    return true;
  }

  const int descriptor_;
  std::uint64_t inode_ = 0;
  std::uint64_t begin_ = 0;  ///< of the buffer in the file
  std::uint64_t end_ = 0;
  std::size_t scanned_ = 0;
  bool in_long_line_ = false;  ///< its end was dropped, and so is its beginning
  std::string buffer_;
  std::string line_;
};

/// Where a page ends: a file that may meanwhile have another name, and a place in it.
struct Position {
  std::uint64_t inode = 0;
  std::uint64_t end = 0;
};

Error bad_position(const std::string& why) {
  return make_error(Errc::invalid_request, "position: " + why);
}

Result<Position> position_from(std::string_view text) {
  Position position;
  const char* const end = text.data() + text.size();
  const auto inode = std::from_chars(text.data(), end, position.inode);
  if (inode.ec == std::errc{} && inode.ptr != end && *inode.ptr == '-') {
    const auto place = std::from_chars(inode.ptr + 1, end, position.end);
    if (place.ec == std::errc{} && place.ptr == end) return position;
  }
  return bad_position("expected next_position of another page");
}

/// Whether a record is of this transaction.
bool has_gid(const boost::json::object& record, std::string_view gid) {
  const std::string text = shown(gid);  // as records have it
  error_code failed;
  const boost::json::value wanted = boost::json::parse({text.data(), text.size()}, failed);
  const auto is_it = [&wanted](const boost::json::value* value) {
    return value != nullptr && *value == wanted;
  };
  if (is_it(record.if_contains("gid"))) return true;
  const boost::json::value* const gids = record.if_contains("gids");
  if (gids == nullptr || !gids->is_array()) return false;
  return std::ranges::any_of(gids->get_array(),
                             [&](const boost::json::value& each) { return is_it(&each); });
}

/// Adds a line to the page if it is a record that is wanted.
void add_record(net::AuditPage& page, std::string_view line, const net::AuditQuery& query,
                std::size_t& bytes) {
  error_code failed;
  boost::json::value value = boost::json::parse({line.data(), line.size()}, failed);
  if (failed || !value.is_object()) return;
  std::string record{line};
  boost::json::object& members = value.as_object();
  if (!query.gid.empty() && !has_gid(members, query.gid)) return;
  const boost::json::value* const by = members.if_contains("by");
  const bool is_local = by == nullptr || (*by != "http" && *by != "grpc");
  if (is_local && !query.tells_local) {
    members.stable_erase("details");
    members.stable_erase("result");
    record = boost::json::serialize(members);
  }
  bytes += record.size();
  page.records.push_back(std::move(record));
}

}  // namespace

std::string audit_line(const net::AuditRecord& record, WallTime now, std::size_t left_out) {
  const bool is_refused = record.event == net::AuditRecord::Event::refused;
  std::string line = "{\"ts\":\"" + time_text(now) + "\",\"id\":" + shown(record.id) +
                     ",\"event\":\"" + std::string{name_of(record.event)} + "\"";
  const std::pair<std::string_view, const std::string&> members[] = {
      {"action", record.action},   {"gid", record.gid},       {"topic", record.topic},
      {"caller", record.caller},   {"from", record.from},     {"by", record.by},
      {"details", record.details}, {"reason", record.reason}, {"result", record.result},
      {"trace", record.trace}};
  for (const auto& [name, text] : members) {
    if (text.empty()) continue;
    const bool is_long = &text == &record.details || &text == &record.result;
    const std::size_t bytes_max = is_refused ? refused_text_bytes_max
                                  : is_long  ? audit_long_text_bytes_max
                                             : audit_text_bytes_max;
    line.append(",\"").append(name).append("\":").append(shown(text, bytes_max));
  }
  if (!is_refused) line += gids_text(record.gids);  // everybody can make attempts
  if (left_out > 0) line += ",\"left_out\":" + std::to_string(left_out);
  return line + "}\n";
}

Result<net::AuditPage> read_audit(const std::vector<std::filesystem::path>& files,
                                  const net::AuditQuery& query) {
  std::optional<Position> from;
  if (!query.position.empty()) {
    CONCERTO_TRY(from, position_from(query.position));
  }
  const LineFilter filter(query);
  net::AuditPage page;
  std::size_t scanned = 0, bytes = 0;
  for (const std::filesystem::path& path : files) {
    FileBackwards file(path, from ? std::optional(from->end) : std::nullopt);
    if (from && file.inode() != from->inode) continue;
    from.reset();
    for (;;) {
      const auto line = file.next(audit_scan_bytes_max - scanned);
      if (line && filter.takes(*line)) add_record(page, *line, query, bytes);
      const bool is_full = page.records.size() >= query.limit || bytes >= page_bytes_max ||
                           scanned + file.scanned_bytes() >= audit_scan_bytes_max;
      if (is_full) {
        page.next_position = std::to_string(file.inode()) + "-" + std::to_string(file.end());
        return page;
      }
      if (!line) break;
    }
    scanned += file.scanned_bytes();
  }
  if (from) return bad_position("the file of the other page is gone");
  return page;
}

}  // namespace concerto::tools
