#include <concerto/transport/http_error.hpp>

namespace concerto::net {
namespace {

struct HttpMeaning {
  const char* text;
  Condition condition;
};

HttpMeaning meaning_of(HttpErrc code) {
  switch (code) {
    case HttpErrc::bad_url:
      return {"bad URL", Condition::rejected};
    case HttpErrc::unsupported_scheme:
      return {"unsupported protocol scheme", Condition::rejected};
    case HttpErrc::bad_header:
      return {"bad header", Condition::rejected};
    case HttpErrc::bad_payload:
      return {"bad payload", Condition::rejected};
    case HttpErrc::target_refused:
      return {"target refused", Condition::retry_later};
    case HttpErrc::resolve_failed:
      return {"host not found", Condition::retry_later};
    case HttpErrc::connect_failed:
      return {"connection failed", Condition::retry_later};
    case HttpErrc::tls_failed:
      return {"TLS handshake failed", Condition::retry_later};
    case HttpErrc::proxy_failed:
      return {"proxy failed", Condition::retry_later};
    case HttpErrc::closing:
      return {"client is closing", Condition::retry_later};
    case HttpErrc::timed_out_unsent:
      return {"timed out before sending", Condition::retry_later};
    case HttpErrc::timed_out:
      return {"timed out", Condition::outcome_unknown};
    case HttpErrc::cancelled:
      return {"cancelled", Condition::outcome_unknown};
    case HttpErrc::connection_lost:
      return {"connection lost", Condition::outcome_unknown};
    case HttpErrc::bad_response:
      return {"bad response", Condition::outcome_unknown};
    case HttpErrc::too_many_redirects:
      return {"too many redirects", Condition::outcome_unknown};
    case HttpErrc::bad_status:
      return {"unexpected status", Condition::outcome_unknown};
    case HttpErrc::rpc_error:
      return {"JSON-RPC error", Condition::outcome_unknown};
  }
  return {"unknown error", Condition::outcome_unknown};
}

class HttpCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.http"; }
  std::string message(int value) const override {
    return meaning_of(static_cast<HttpErrc>(value)).text;
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(meaning_of(static_cast<HttpErrc>(value)).condition);
  }
};

}  // namespace

const boost::system::error_category& http_category() noexcept {
  static const HttpCategory category;
  return category;
}

boost::system::error_code make_error_code(HttpErrc code) noexcept {
  return {static_cast<int>(code), http_category()};
}

}  // namespace concerto::net
