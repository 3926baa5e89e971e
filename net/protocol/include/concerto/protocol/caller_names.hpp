#pragma once

#include <cstddef>
#include <functional>
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

  /// `say` is called with a sentence for the operator, once, on any thread.
  explicit CallerNames(std::function<void(const std::string&)> say);
  CallerNames(const CallerNames&) = delete;
  CallerNames& operator=(const CallerNames&) = delete;

  /// The id of a name. When there are too many names, new ones become `(other 5f2a)`, with a part
  /// of a hash of the name: the same caller always has the same id, and hardly ever has another
  /// caller that id, too.
  CallerId id_of(std::string_view name);

 private:
  std::string stand_in_for(std::string_view name);

  const std::function<void(const std::string&)> say_;
  std::mutex mutex_;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> others_;  ///< at most 65,536, as their numbers have four digits
  bool has_told_ = false;
};

}  // namespace concerto::net
