// What it takes to find out who makes a request: its header is read, and the gate is asked.

#include <optional>
#include <string>

#include <concerto/protocol/gate.hpp>

#include "access/callers_file.hpp"
#include "counted_case.hpp"
#include "http/message_parser.hpp"
#include "still_clock.hpp"

namespace concerto::bench {
namespace {

std::string line_of(const std::string& token) {
  std::string text = "shop client sha256:";
  for (const std::uint8_t byte : net::sha256_of(token)) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

/// A request with a token of so many characters; 0: without one, and nobody is asked.
template <std::size_t token_chars>
class TokenCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    const std::string token(token_chars, 't');
    net::AccessTexts texts;
    texts.callers = line_of(token_chars > 0 ? token : "of nobody");
    net::Authenticator authenticator(net::AccessRules::read(texts, {}).value(), names_, wrong_,
                                     right_, clock_);
    net::GateOptions options;
    if (token_chars > 0) options.authenticator = &authenticator;
    const net::Gate gate(std::move(options));
    const std::string text = "POST /api/dtmsvr/submit HTTP/1.1\r\nHost: dtm.b.org:36789\r\n" +
                             (token_chars > 0 ? "Authorization: Bearer " + token + "\r\n" : "") +
                             "Content-Length: 0\r\n\r\n";
    bool good = true;
    for (std::size_t i = 0; i < count; ++i) {
      net::RequestParser parser(16U << 10U, 1U << 20U);
      std::size_t used = 0;
      good = good && parser.feed(text, used) == net::ParseState::complete;
      RequestContext context;
      context.peer.port = 1;
      good = good && !gate.refuse_http(needs_, context, parser.request());
    }
    return good;
  }

 private:
  const net::RouteNeeds needs_{net::RouteDeed::changes, net::RouteRole::clients,
                               net::RouteBrowser::own_pages};
  StillClock clock_;
  net::CallerNames names_{[](const std::string&) {}};
  net::WrongTokens wrong_{clock_, [](const std::string&) {}};
  net::RightTokens right_{{1, 2}};
};

}  // namespace

/// Of a token in a file that `openssl rand -hex 32` has made, and of a JSON Web Token, which is
/// remembered by its text as any other.
std::vector<CountedRow> access_cases() {
  return {{"access/none", 5'000, make_case<TokenCase<0>>},
          {"access/token", 5'000, make_case<TokenCase<64>>},
          {"access/jwt", 5'000, make_case<TokenCase<710>>}};
}

}  // namespace concerto::bench
