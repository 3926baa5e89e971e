#include <utility>

#include <concerto/protocol/right_tokens.hpp>

#include "access/client_network.hpp"
#include "access/sip_hash.hpp"

namespace concerto::net {

RightTokens::RightTokens(const Key& key) : key_(key) {}

/// The network is a part of the mark: whoever guesses tokens that others use is limited, too.
TokenMark RightTokens::mark_of(std::string_view token, const PeerAddress& peer) const noexcept {
  const auto network = network_of(peer);
  return {SipHash<1, 3>{key_}({network[0], network[1]}, token)};
}

bool RightTokens::has(const TokenMark& mark) {
  const std::lock_guard lock(mutex_);
  return newer_.contains(mark) || older_.contains(mark);
}

void RightTokens::add(const TokenMark& mark) {
  const std::lock_guard lock(mutex_);
  if (newer_.size() >= tokens_max / 2) {
    older_ = std::move(newer_);
    newer_ = {};
  }
  newer_.insert(mark);
}

void RightTokens::remove(const TokenMark& mark) {
  const std::lock_guard lock(mutex_);
  newer_.erase(mark);
  older_.erase(mark);
}

}  // namespace concerto::net
