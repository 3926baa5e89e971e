#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include <concerto/base/export.hpp>
#include <concerto/base/mutex.hpp>

namespace concerto::net {

/// Remembers what any shard of the process last read from a registry. A shard that needs a service
/// for the first time while the registry does not answer uses this memory. Thread-safe; calls to
/// services never use it. It has one entry for each service, which is kept until the process ends.
class CONCERTO_EXPORT AddressMemory {
 public:
  using Values = std::map<std::string, std::string>;  ///< entries of the registry, by key

  void remember(const std::string& service, const Values& values) {
    const MutexLock lock{mutex_};
    if (known_.size() < services_max || known_.contains(service)) known_[service] = values;
  }

  std::optional<Values> recall(const std::string& service) const {
    const MutexLock lock{mutex_};
    const auto known = known_.find(service);
    if (known == known_.end()) return std::nullopt;
    return known->second;
  }

 private:
  static constexpr std::size_t services_max = 10'000;

  mutable Mutex mutex_;
  std::map<std::string, Values> known_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::net
