#include <cstring>
#include <utility>

#include <concerto/protocol/authenticator.hpp>

#include "access/sip_hash.hpp"

namespace concerto::net {
namespace {

std::uint64_t word_at(const std::uint8_t* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

}  // namespace

Authenticator::Authenticator(std::shared_ptr<const AccessRules> rules, CallerNames& names,
                             WrongTokens& wrong, const Clock& clock, RandomSource& random)
    : rules_(std::move(rules)),
      names_(names),
      wrong_(wrong),
      clock_(clock),
      hash_key_{random.next(), random.next()} {}

void Authenticator::set_rules(std::shared_ptr<const AccessRules> rules) {
  rules_ = std::move(rules);
  ++rules_number_;
}

Identity Authenticator::identify(const Credentials& credentials, const PeerAddress& peer) {
  if (!credentials.bearer.empty()) return identify_token(credentials.bearer, peer);
  Identity identity;
  if (credentials.certificate == nullptr) return identity;
  const auto caller = rules_->caller_of_certificate(*credentials.certificate, clock_.wall_now());
  if (!caller) return identity;
  identity.kind = Identity::Kind::known;
  identity.caller = {names_.id_of(caller->name), caller->roles};
  return identity;
}

/// The key of the hash is secret and random, so a token that has the hash of another one cannot be
/// found. The address is a part of it: whoever guesses tokens that others use is limited, too.
Authenticator::Fingerprint Authenticator::fingerprint(std::string_view token,
                                                      const PeerAddress& peer) const noexcept {
  const auto& address = peer.bytes;
  return {SipHash<1, 3>{hash_key_}({word_at(address.data()), word_at(address.data() + 8)}, token)};
}

Identity Authenticator::identify_token(std::string_view token, const PeerAddress& peer) {
  Identity identity;
  const Fingerprint of_token = fingerprint(token, peer);
  const WallTime now = clock_.wall_now();
  const auto place = known_.find(of_token);
  const bool was_right = place != known_.end();
  if (was_right && place->second.rules_number == rules_number_ && now < place->second.until) {
    identity.kind = Identity::Kind::known;
    identity.caller = place->second.caller;
    return identity;
  }
  if (was_right) known_.erase(place);
  // Whoever had a right token is asked for it again, whatever others at this address send.
  if (!was_right && wrong_.refuses(peer)) {
    identity.kind = Identity::Kind::too_many_wrong;
    return identity;
  }
  const Result<NamedCaller> caller = rules_->caller_of_token(token, now);
  if (!caller) {
    wrong_.note(peer, caller.error().detail);
    identity.kind = Identity::Kind::wrong_token;
    return identity;
  }
  identity.kind = Identity::Kind::known;
  identity.caller = {names_.id_of(caller->name), caller->roles};
  if (known_.size() >= known_max) known_.clear();
  known_.emplace(of_token, Known{identity.caller, caller->until, rules_number_});
  return identity;
}

}  // namespace concerto::net
