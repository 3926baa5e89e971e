#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include <concerto/base/export.hpp>
#include <concerto/engine/caller_id.hpp>

namespace concerto::net {

/// The names that ids of callers refer to. Names are never removed, because requests have their
/// ids; so their number is limited. Must outlive all requests. Thread-safe.
class CONCERTO_EXPORT CallerNames {
 public:
  static constexpr std::size_t names_max = 65'536;

  CallerNames() = default;
  CallerNames(const CallerNames&) = delete;
  CallerNames& operator=(const CallerNames&) = delete;

  /// The id of a name. When there are too many names, new ones share the id of `(others)`.
  CallerId id_of(std::string_view name);

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> names_;
  const std::string others_ = "(others)";
};

}  // namespace concerto::net
