#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/access_rules.hpp>
#include <concerto/protocol/caller.hpp>
#include <concerto/protocol/caller_names.hpp>
#include <concerto/protocol/wrong_tokens.hpp>

namespace concerto::net {

/// Finds out who makes a request. It remembers tokens that were right, by a keyed hash of the token
/// and its sender's address, so that a signature is verified once and not with each request. A
/// token is remembered until it expires or the rules change.
///
/// One for each shard, which uses it alone.
class CONCERTO_EXPORT Authenticator {
 public:
  /// When more tokens are known, all are forgotten and found out again.
  static constexpr std::size_t known_max = 8'192;

  /// The referenced objects must outlive the Authenticator. `random` is used only here.
  Authenticator(std::shared_ptr<const AccessRules> rules, CallerNames& names, WrongTokens& wrong,
                const Clock& clock, RandomSource& random);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// A token counts alone; the certificate only counts without one.
  Identity identify(const Credentials& credentials, const PeerAddress& peer);

  /// Replaces the rules for requests that come later.
  void set_rules(std::shared_ptr<const AccessRules> rules);

 private:
  struct Fingerprint {
    std::array<std::uint64_t, 2> words;
    bool operator==(const Fingerprint&) const = default;
  };
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& of) const noexcept { return of.words[0]; }
  };
  struct Known {
    Caller caller;
    WallTime until;
    std::uint64_t rules_number;
  };

  Fingerprint fingerprint(std::string_view token, const PeerAddress& peer) const noexcept;
  Identity identify_token(std::string_view token, const PeerAddress& peer);

  std::shared_ptr<const AccessRules> rules_;
  std::uint64_t rules_number_ = 0;  ///< counts the changes of the rules
  CallerNames& names_;
  WrongTokens& wrong_;
  const Clock& clock_;
  std::array<std::uint64_t, 2> hash_key_;
  std::unordered_map<Fingerprint, Known, FingerprintHash> known_;
};

}  // namespace concerto::net
