#include "damaged_records.hpp"

#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

/// Records beyond that have no line in the log, and are not counted.
constexpr std::size_t known_max = 10'000;

/// A record may be large, and the reason may quote it.
constexpr std::size_t why_bytes_max = 300;

constexpr std::string_view advice =
    "; it is left alone until an operator acts (docs/operations.md)";

}  // namespace

Error DamagedRecords::trans(std::string_view gid, std::string_view why) {
  why = why.substr(0, why_bytes_max);
  std::string text = "transaction '" + std::string(gid) + "' is damaged: " + std::string(why);
  if (is_news(true, gid, why)) observer_.log(LogLevel::error, gid, text + std::string(advice));
  return make_error(EngineErrc::store_damaged, std::move(text));
}

Error DamagedRecords::other(std::string_view name, std::string_view why) {
  why = why.substr(0, why_bytes_max);
  std::string text = std::string(name) + " is damaged: " + std::string(why);
  if (is_news(false, name, why)) observer_.log(LogLevel::error, "", text + std::string(advice));
  return make_error(EngineErrc::store_damaged, std::move(text));
}

DamageReport DamagedRecords::report(std::size_t max) const {
  const MutexLock lock(mutex_);
  DamageReport report;
  report.total = known_.size();
  for (const auto& [name, known] : known_) {
    if (report.records.size() == max) {
      report.is_complete = false;
      break;
    }
    report.records.push_back({known.is_trans, name, known.why});
  }
  return report;
}

bool DamagedRecords::is_news(bool is_trans, std::string_view name, std::string_view why) {
  const MutexLock lock(mutex_);
  if (const auto known = known_.find(name); known != known_.end()) {
    known->second.why = why;  // An operator may have mended one thing of several.
    return false;
  }
  if (known_.size() == known_max) return false;
  known_.emplace(name, Known{is_trans, std::string(why)});
  count_.store(known_.size(), std::memory_order_relaxed);
  return true;
}

void DamagedRecords::forget(std::string_view name) noexcept {
  const MutexLock lock(mutex_);
  const auto known = known_.find(name);
  if (known == known_.end()) return;
  known_.erase(known);
  count_.store(known_.size(), std::memory_order_relaxed);
}

}  // namespace concerto::persist
