#include "dir_entries.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace concerto::persist {
namespace {

namespace fs = std::filesystem;

Error failed(const char* what, const std::string& path, const std::error_code& why) {
  return make_error(EngineErrc::store_failed,
                    std::string(what) + " '" + path + "': " + why.message());
}

EntryKind kind(const fs::file_status& status) {
  switch (status.type()) {
    case fs::file_type::not_found:
      return EntryKind::absent;
    case fs::file_type::regular:
      return EntryKind::file;
    case fs::file_type::directory:
      return EntryKind::directory;
    default:
      return EntryKind::other;
  }
}

}  // namespace

Result<EntryKind> kind_of(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return failed("cannot look at", path, error);
  return kind(status);
}

Result<std::vector<DirEntry>> list_dir(const std::string& path) {
  std::error_code error;
  std::vector<DirEntry> entries;
  fs::directory_iterator at(path, error);
  for (; !error && at != fs::directory_iterator{}; at.increment(error)) {
    const fs::file_status status = at->symlink_status(error);
    if (error) break;
    entries.push_back({at->path().filename().string(), kind(status)});
  }
  if (error) return failed("cannot list", path, error);
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  return entries;
}

Result<std::string> canonical_dir(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  if (error) return failed("cannot resolve", path, error);
  return canonical.string();
}

Result<bool> is_within(const std::string& path, const std::string& directory) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return failed("cannot resolve", path, error);
  CONCERTO_TRY(const std::string outer, canonical_dir(directory));
  // With a slash behind both, a name does not begin with another one.
  return (inner / "").lexically_normal().string().starts_with((fs::path(outer) / "").string());
}

}  // namespace concerto::persist
