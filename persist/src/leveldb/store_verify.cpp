#include <algorithm>

#include "backup_chain.hpp"
#include "dir_entries.hpp"
#include "store_view.hpp"

namespace concerto::persist {

Result<CheckReport> verify_store(const std::string& store, const WorkProgress& progress) {
  CONCERTO_TRY(const auto view, StoreView::open(store));
  GroupCheck check(view->path());
  check.expect_checkpoint(view->state());
  ProgressMeter meter(progress, view->last_group() + 1 - view->first_group());
  CheckReport report;
  report.notes = view->notes();
  const std::vector<SegmentState>& segments = view->state().segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto add = [&](std::uint64_t group, std::string_view value) -> Result<> {
      CONCERTO_CHECK(check.add(group, value));
      return meter.add(value.size());
    };
    CONCERTO_CHECK(view->read(i, segments[i].first_group, view->last_group_of(i), add));
  }
  CONCERTO_CHECK(check.end());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Result<> sound = view->check_directory(i);
    if (sound) continue;
    if (sound.error().code != EngineErrc::store_damaged) return sound.error();
    report.notes.push_back(sound.error().detail +
                           "; the next start makes all directories anew from the log");
  }
  check.count_into(report);
  report.segments = segments.size();
  report.last_group = view->last_group();
  return report;
}

Result<CheckReport> verify_backup(const std::string& backup, const WorkProgress& progress) {
  CONCERTO_TRY(const BackupChain chain, BackupChain::open(backup));
  CONCERTO_TRY(const GroupCheck check, chain.check(progress));
  CheckReport report;
  check.count_into(report);
  report.segments = chain.newest().segments.size();
  report.last_group = chain.newest().last_group;
  return report;
}

Result<bool> is_backup(const std::string& path) {
  CONCERTO_TRY(const EntryKind kind, kind_of(manifest_path(path)));
  return kind == EntryKind::file;
}

Result<std::vector<BackupReport>> list_backups(const std::string& directory) {
  std::vector<BackupReport> backups;
  CONCERTO_TRY(const EntryKind kind, kind_of(directory));
  if (kind == EntryKind::absent) return backups;
  CONCERTO_TRY(const auto entries, list_dir(directory));
  for (const DirEntry& entry : entries) {
    if (entry.kind != EntryKind::directory || !check_backup_name("name", entry.name)) continue;
    const auto stored = read_manifest(directory + "/" + entry.name);
    if (stored) backups.push_back(stored->manifest.report(entry.name));
  }
  std::stable_sort(backups.begin(), backups.end(),
                   [](const auto& a, const auto& b) { return a.created < b.created; });
  return backups;
}

}  // namespace concerto::persist
