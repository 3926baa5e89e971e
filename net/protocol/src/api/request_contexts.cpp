#include "api/request_contexts.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/forwarded.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::seconds wait_max{1'000'000'000};  // A longer wait has no deadline.

PeerAddress address_of(const boost::asio::ip::tcp::endpoint& peer) {
  const boost::asio::ip::address address = peer.address();
  PeerAddress result;
  result.port = peer.port();
  boost::asio::ip::address_v6 wide;
  if (address.is_v4()) {
    wide = boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4());
  } else {
    wide = address.to_v6();
  }
  result.bytes = wide.to_bytes();
  result.scope = static_cast<std::uint32_t>(wide.scope_id());
  return result;
}

/// A request with several fields counts as one without, as the specification wants it.
template <class Fields>
TraceParent trace_of(const Fields& fields) {
  const auto field = fields.find(traceparent_name);
  if (!field) return {};
  std::size_t count = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) count += is_traceparent(fields[i].name);
  if (count != 1) return {};
  return TraceParent::parse(trim_blanks(*field)).value_or(TraceParent{});
}

/// Several fields are one list.
template <class Fields>
std::string state_of(const Fields& fields) {
  std::string list;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!is_tracestate(fields[i].name)) continue;
    if (!list.empty()) list += ',';
    list += fields[i].value;
  }
  return kept_trace_state(list);
}

/// The wait of one preference, such as `wait=10`; other preferences, such as `respond-async`, have
/// none. Parameters follow a semicolon.
std::optional<std::chrono::seconds> wait_in(std::string_view preference) {
  const std::string_view whole = preference.substr(0, preference.find(';'));
  const std::size_t equals = whole.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equals_ignoring_case(trim_blanks(whole.substr(0, equals)), "wait")) return std::nullopt;
  std::string_view text = trim_blanks(whole.substr(equals + 1));
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::optional<std::chrono::seconds> wait_of(const HttpHeaders& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (!equals_ignoring_case(name, "Prefer")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (const auto wait = wait_in(rest.substr(0, comma))) return wait;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return std::nullopt;
}

RequestContext context_of(const boost::asio::ip::tcp::endpoint& peer, const GrpcMetadata& metadata,
                          SteadyTime deadline, const AddressSet& proxies) {
  RequestContext context;
  context.peer = address_of(proxies.empty() ? peer : client_of(peer, metadata, proxies));
  context.trace = trace_of(metadata);
  context.deadline = deadline;
  return context;
}

}  // namespace

RequestContext context_of(const HttpRequest& request, SteadyTime now, const AddressSet& proxies) {
  RequestContext context;
  const auto& peer = request.peer;
  context.peer = address_of(proxies.empty() ? peer : client_of(peer, request.headers, proxies));
  context.trace = trace_of(request.headers);
  const auto wait = wait_of(request.headers);
  if (wait && *wait <= wait_max) context.deadline = now + *wait;
  return context;
}

void take_trace_state(TransRequest& trans, const RequestContext& context,
                      const HttpHeaders& headers) {
  if (context.trace.is_set()) trans.trace = {context.trace, state_of(headers)};
}

void take_trace_state(TransRequest& trans, const RequestContext& context,
                      const GrpcMetadata& metadata) {
  if (context.trace.is_set()) trans.trace = {context.trace, state_of(metadata)};
}

RequestContext context_of(const GrpcRequest& request, const AddressSet& proxies) {
  return context_of(request.peer, request.metadata, request.deadline, proxies);
}

RequestContext context_of(const GrpcServerStream& stream, const AddressSet& proxies) {
  return context_of(stream.peer(), stream.metadata(), stream.deadline(), proxies);
}

}  // namespace concerto::net
