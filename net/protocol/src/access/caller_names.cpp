#include <concerto/protocol/caller_names.hpp>

namespace concerto::net {

CallerId CallerNames::id_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  std::string text{name};
  if (const auto found = names_.find(text); found != names_.end()) return CallerId{*found};
  if (names_.size() >= names_max) return CallerId{others_};
  return CallerId{*names_.insert(std::move(text)).first};
}

}  // namespace concerto::net
