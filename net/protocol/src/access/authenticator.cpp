#include <utility>

#include <concerto/protocol/authenticator.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t last_tokens = 512;
constexpr std::size_t last_token_bytes_max = 4'096;

/// Inlined by GCC 12, it would become a comparison for each byte.
template <std::size_t size>
[[gnu::noinline]] unsigned char difference_of(const char* a, const char* b) noexcept {
  unsigned char difference = 0;
  for (std::size_t i = 0; i < size; ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference;
}

/// Compares as many blocks of this size as there are from `i` on, which it moves on.
template <std::size_t size>
unsigned char difference_of_blocks(std::string_view a, std::string_view b,
                                   std::size_t& i) noexcept {
  unsigned char difference = 0;
  for (; a.size() - i >= size; i += size) {
    difference |= difference_of<size>(a.data() + i, b.data() + i);
  }
  return difference;
}

/// Looks at all bytes whatever they are, so that the time says only how many there are.
bool are_equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  std::size_t i = 0;
  unsigned char difference = difference_of_blocks<256>(a, b, i);
  difference |= difference_of_blocks<32>(a, b, i);
  if (a.size() >= 32) {  // The last block begins in the block before it.
    return (difference | difference_of<32>(a.data() + a.size() - 32, b.data() + a.size() - 32)) ==
           0;
  }
  for (; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

Authenticator::Authenticator(std::shared_ptr<const AccessRules> rules, CallerNames& names,
                             WrongTokens& wrong, RightTokens& right, const Clock& clock)
    : rules_(std::move(rules)),
      names_(names),
      wrong_(wrong),
      right_(right),
      clock_(clock),
      last_(last_tokens) {}

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

Identity Authenticator::identify_token(std::string_view token, const PeerAddress& peer) {
  LastToken& last = last_of(peer);
  if (!are_equal(last.token, token) || !holds(last.known)) return find_out(token, peer, last);
  Identity identity;
  identity.kind = Identity::Kind::known;
  identity.caller = last.known.caller;
  return identity;
}

Identity Authenticator::find_out(std::string_view token, const PeerAddress& peer, LastToken& last) {
  Identity identity;
  const TokenMark mark = right_.mark_of(token, peer);
  const WallTime now = clock_.wall_now();
  const Known* const known = find(mark);
  if (known != nullptr && holds(*known)) {
    identity.kind = Identity::Kind::known;
    identity.caller = known->caller;
    if (token.size() <= last_token_bytes_max) last = {std::string{token}, *known};
    return identity;
  }
  // Whoever had a right token is asked for it again, whatever others in this network send.
  const bool was_right = known != nullptr || right_.has(mark);
  if (!was_right && wrong_.refuses(peer) && !is_looked_at_anyway(token, peer, now)) {
    wrong_.note_unread();
    identity.kind = Identity::Kind::too_many_wrong;
    return identity;
  }
  const Result<NamedCaller> caller = rules_->caller_of_token(token, now);
  if (!caller) {
    newer_.erase(mark);
    older_.erase(mark);
    if (was_right) right_.remove(mark);
    wrong_.note(peer, caller.error().detail);
    identity.kind = Identity::Kind::wrong_token;
    return identity;
  }
  identity.kind = Identity::Kind::known;
  identity.caller = {names_.id_of(caller->name), caller->roles};
  remember(mark, {identity.caller, caller->until, rules_number_});
  return identity;
}

/// A right token that is new here must get in although somebody behind the same address guesses.
/// That helps no guesser: a token of the file has to be too long to be guessed, and a signed one
/// cannot be. The checks of a signature are work, so their number is limited, for each network and
/// for all.
bool Authenticator::is_looked_at_anyway(std::string_view token, const PeerAddress& peer,
                                        WallTime now) {
  return rules_->has_long_token(token) ||
         (rules_->may_be_signed(token, now) && wrong_.take_extra_look(peer));
}

Authenticator::LastToken& Authenticator::last_of(const PeerAddress& peer) {
  return last_[(peer.port ^ std::size_t{peer.bytes[15]} << 4U) % last_tokens];
}

bool Authenticator::holds(const Known& known) const {
  return known.rules_number == rules_number_ && clock_.wall_now() < known.until;
}

const Authenticator::Known* Authenticator::find(const TokenMark& mark) const {
  if (const auto place = newer_.find(mark); place != newer_.end()) return &place->second;
  const auto place = older_.find(mark);
  return place == older_.end() ? nullptr : &place->second;
}

void Authenticator::remember(const TokenMark& mark, const Known& known) {
  if (newer_.size() >= known_max / 2) {
    older_ = std::move(newer_);
    newer_ = {};
  }
  newer_.insert_or_assign(mark, known);
  right_.add(mark);
}

}  // namespace concerto::net
