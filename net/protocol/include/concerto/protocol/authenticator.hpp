#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/access_rules.hpp>
#include <concerto/protocol/caller.hpp>
#include <concerto/protocol/caller_names.hpp>
#include <concerto/protocol/right_tokens.hpp>
#include <concerto/protocol/wrong_tokens.hpp>

namespace concerto::net {

/// Finds out who makes a request. It remembers callers by the marks of their tokens (RightTokens),
/// so that a signature is verified once and not with each request. A token is remembered until it
/// expires or the rules change.
///
/// One for each shard, which uses it alone.
class CONCERTO_EXPORT Authenticator {
 public:
  /// Those that were found out longest ago are forgotten when there are more.
  static constexpr std::size_t known_max = 8'192;

  /// The referenced objects must outlive the Authenticator.
  Authenticator(std::shared_ptr<const AccessRules> rules, CallerNames& names, WrongTokens& wrong,
                RightTokens& right, const Clock& clock);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  /// A token counts alone; the certificate only counts without one.
  Identity identify(const Credentials& credentials, const PeerAddress& peer);

  /// Replaces the rules for requests that come later.
  void set_rules(std::shared_ptr<const AccessRules> rules);

 private:
  struct Known {
    Caller caller;
    WallTime until{};
    std::uint64_t rules_number = 0;
  };
  struct LastToken {
    std::string token;
    Known known;
  };
  using KnownTokens = std::unordered_map<TokenMark, Known, TokenMarkHash>;

  Identity identify_token(std::string_view token, const PeerAddress& peer);
  Identity find_out(std::string_view token, const PeerAddress& peer, LastToken& last);
  bool is_looked_at_anyway(std::string_view token, const PeerAddress& peer, WallTime now);
  LastToken& last_of(const PeerAddress& peer);
  bool holds(const Known& known) const;
  const Known* find(const TokenMark& mark) const;
  void remember(const TokenMark& mark, const Known& known);

  std::shared_ptr<const AccessRules> rules_;
  std::uint64_t rules_number_ = 0;  ///< counts the changes of the rules
  CallerNames& names_;
  WrongTokens& wrong_;
  RightTokens& right_;
  const Clock& clock_;
  /// Tokens that connections have sent last, each at a place that the port chooses. To compare a
  /// token with one that was right takes less time than its mark.
  std::vector<LastToken> last_;
  KnownTokens newer_;
  KnownTokens older_;  ///< what newer_ was when it was full
};

}  // namespace concerto::net
