#include <algorithm>
#include <utility>

#include <concerto/base/counted.hpp>
#include <concerto/protocol/wrong_tokens.hpp>

#include "access/client_network.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::seconds line_interval{60};

}  // namespace

WrongTokens::WrongTokens(const Clock& clock, std::function<void(const std::string&)> say)
    : clock_(clock), say_(std::move(say)) {}

bool WrongTokens::refuses(const PeerAddress& peer) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(network_of(peer));
  if (place == places_.end()) return false;
  return place->second->rested > clock_.steady_now() + (burst - 1) * pause;
}

bool WrongTokens::ExtraLooks::take(SteadyTime now, unsigned per_second_max) noexcept {
  if (now - since >= std::chrono::seconds(1)) {
    since = now;
    count = 0;
  }
  if (count >= per_second_max) return false;
  ++count;
  return true;
}

/// What an address takes beyond its own looks is not taken from those of all.
bool WrongTokens::take_extra_look(const PeerAddress& peer) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  const auto place = places_.find(network_of(peer));
  // It may just have been forgotten.
  if (place != places_.end() && !place->second->extra_looks.take(now, extra_looks_per_second)) {
    return false;
  }
  return all_extra_looks_.take(now, all_extra_looks_per_second);
}

void WrongTokens::note_unread() {
  const std::lock_guard lock(mutex_);
  ++unreported_refused_;
  count_.fetch_add(1, std::memory_order_relaxed);
}

void WrongTokens::note(const PeerAddress& peer, std::string_view reason) {
  const SteadyTime now = clock_.steady_now();
  const Network network = network_of(peer);
  std::string line;
  {
    const std::lock_guard lock(mutex_);
    auto place = places_.find(network);
    if (place == places_.end()) {
      if (senders_.size() >= addresses_max) {
        places_.erase(senders_.front().network);
        senders_.pop_front();
      }
      const auto sender = senders_.insert(senders_.end(), Sender{network, now, {}});
      place = places_.emplace(network, sender).first;
    }
    senders_.splice(senders_.end(), senders_, place->second);
    place->second->rested = std::max(place->second->rested, now) + pause;
    count_.fetch_add(1, std::memory_order_relaxed);
    ++unreported_;
    if (now >= next_line_) {
      next_line_ = now + line_interval;
      line = counted(std::exchange(unreported_, 0), "wrong token") +
             " since the last such line, and " +
             std::to_string(std::exchange(unreported_refused_, 0)) +
             " more that were not looked at, because too many had come from their address; the "
             "last one from " +
             (peer.is_set() ? peer.str() : "this process") + ": " + std::string{reason};
    }
  }
  if (!line.empty()) say_(line);
}

}  // namespace concerto::net
