#include "backup_chain.hpp"

#include <algorithm>
#include <filesystem>

#include "crc32c.hpp"
#include "dir_entries.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t chain_links_max = 10'000;

Result<std::string> read_identity(const std::string& backup, const BackupManifest& manifest) {
  const std::string path = identity_path(backup);
  CONCERTO_TRY(const EntryKind kind, kind_of(path));
  if (kind != EntryKind::file) return missing(path);
  CONCERTO_TRY(std::string text, read_file(path));
  if (crc32c(0, text) != manifest.identity_checksum) return damaged(path, "its checksum is wrong");
  CONCERTO_TRY(const StoreIdentity identity, parse_identity(path, text));
  if (store_mark(identity.key) != manifest.store) {
    return damaged(path, "it is of another store than the manifest");
  }
  return text;
}

}  // namespace

Result<> ProgressMeter::add(std::size_t bytes) {
  constexpr std::size_t bytes_between = std::size_t{1} << 20;
  ++done_;
  bytes_ += bytes;
  if (bytes_ < bytes_between && done_ != total_) return ok();
  bytes_ = 0;
  if (!progress_ || progress_(done_, total_)) return ok();
  return make_error(Errc::shutting_down, "the work was ended");
}

Result<BackupChain> BackupChain::open(const std::string& backup) {
  CONCERTO_TRY(const EntryKind kind, kind_of(backup));
  if (kind != EntryKind::directory) {
    return make_error(EngineErrc::store_unavailable, "there is no directory '" + backup + "'");
  }
  CONCERTO_TRY(std::string path, canonical_dir(backup));
  BackupChain chain;
  for (;;) {
    CONCERTO_TRY(StoredManifest stored, read_manifest(path));
    if (!chain.links_.empty()) {
      const Link& later = chain.links_.back();
      if (stored.checksum != later.manifest.base_checksum ||
          stored.manifest.store != later.manifest.store ||
          stored.manifest.last_group > later.manifest.last_group) {
        return damaged(path, "it is not the backup on which '" + later.path + "' builds");
      }
    }
    CONCERTO_TRY(std::string identity, read_identity(path, stored.manifest));
    if (chain.links_.empty()) chain.identity_text_ = std::move(identity);
    const std::string base = stored.manifest.base;
    chain.links_.push_back({path, std::move(stored.manifest)});
    if (base.empty()) return chain;
    if (chain.links_.size() >= chain_links_max)
      return damaged(path, "it builds on too many others");
    path = parent_dir(path) + "/" + base;
  }
}

Result<> BackupChain::check_files() const {
  for (const Link& link : links_) {
    for (const BackupManifest::File& file : link.manifest.files) {
      const std::string path = link.path + "/" + file.name;
      CONCERTO_TRY(const EntryKind kind, kind_of(path));
      if (kind != EntryKind::file) return missing(path);
      std::error_code failed;
      if (std::filesystem::file_size(path, failed) == file.bytes) continue;
      return damaged(path, failed ? failed.message() : "its size is wrong");
    }
  }
  return ok();
}

Result<> BackupChain::read(const UseGroup& use) const {
  std::uint64_t next = first_group();
  const auto use_next = [&](std::uint64_t group, std::string_view value) -> Result<> {
    if (group < next) return ok();  // of a segment that the store has dropped since
    if (group > next) {
      return damaged(links_.front().path, "no backup has group " + std::to_string(next));
    }
    ++next;
    return use(group, value);
  };
  for (auto link = links_.rbegin(); link != links_.rend(); ++link) {
    for (const BackupManifest::File& file : link->manifest.files) {
      CONCERTO_CHECK(read_group_file(link->path, file, use_next));
    }
  }
  if (next == newest().last_group + 1) return ok();
  return damaged(links_.front().path, "no backup has group " + std::to_string(next));
}

Result<GroupCheck> BackupChain::check(const WorkProgress& progress) const {
  GroupCheck check(links_.front().path);
  ProgressMeter meter(progress, group_count());
  const auto add = [&](std::uint64_t group, std::string_view value) -> Result<> {
    CONCERTO_CHECK(check.add(group, value));
    return meter.add(value.size());
  };
  CONCERTO_CHECK(read(add));
  return check;
}

}  // namespace concerto::persist
