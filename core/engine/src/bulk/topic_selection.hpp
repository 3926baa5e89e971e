#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include <concerto/engine/coordinator.hpp>

namespace concerto {

/// Which topics the URLs of a message are subscribed to.
class TopicsOfUrls {
 public:
  /// Reads all topics. Errors: those of the store.
  Async<> read(Coordinator& coordinator);
  std::set<std::string_view> of(const Transaction& trans) const;

 private:
  std::map<std::string, std::set<std::string>, std::less<>> names_;  ///< by URL
};

}  // namespace concerto
