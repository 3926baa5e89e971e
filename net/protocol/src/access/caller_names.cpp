#include <utility>

#include <concerto/protocol/caller_names.hpp>

#include "access/callers_file.hpp"

namespace concerto::net {

CallerNames::CallerNames(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

CallerId CallerNames::id_of(std::string_view name) {
  std::string text{name};
  std::unique_lock lock(mutex_);
  if (const auto found = names_.find(text); found != names_.end()) return CallerId{*found};
  if (names_.size() < names_max) return CallerId{*names_.insert(std::move(text)).first};
  const CallerId id{*others_.insert(stand_in_for(name)).first};
  if (!std::exchange(has_told_, true)) {
    lock.unlock();
    say_("there have been " + std::to_string(names_max) +
         " names of callers since the start: the log and the audit log show further ones as "
         "(other ..) with four digits of a hash, until a restart");
  }
  return id;
}

/// Ids live as long as the process, so their number has to end. Of two callers without a name of
/// their own, one pair in 65,536 shares a stand-in.
std::string CallerNames::stand_in_for(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  const Sha256 hash = sha256_of(name);
  std::string text = "(other ";
  for (const std::uint8_t byte : {hash[0], hash[1]}) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text + ")";
}

}  // namespace concerto::net
