#include "branch/branch_metadata.hpp"

#include <algorithm>
#include <array>

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_messages.hpp>

#include "branch/headers_for_coordinators.hpp"

namespace concerto::net {
namespace {

constexpr std::string_view gid_name = "dtm-gid";
constexpr std::string_view trans_type_name = "dtm-trans_type";
constexpr std::string_view branch_id_name = "dtm-branch_id";
constexpr std::string_view op_name = "dtm-op";

constexpr std::string_view binary_suffix = "-bin";

/// Headers that the transport writes itself, or that only it could write.
constexpr std::array<std::string_view, 9> written_by_transport{
    "content-type",      "grpc-accept-encoding", "grpc-encoding", "grpc-message",
    "grpc-message-type", "grpc-status",          "grpc-timeout",  "te",
    "user-agent"};

/// A new transaction may name these headers of the transport. They are left out: the transport
/// writes them anyway, and headers that are meant for HTTP branches often have them.
constexpr std::array<std::string_view, 2> passed_over{"content-type", "user-agent"};

/// Headers that HTTP/2 forbids, or that would contradict what HTTP/2 says otherwise.
constexpr std::array<std::string_view, 7> not_in_http2{
    "connection",       "content-length",    "host",   "keep-alive",
    "proxy-connection", "transfer-encoding", "upgrade"};

/// What branch_metadata adds to every call: the number of fields, and their bytes without the gid,
/// with room for any op.
constexpr std::size_t own_fields = 5;
constexpr std::size_t own_field_bytes = 80;

bool is_among(const auto& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string to_lower(std::string_view text) {
  std::string lower{text};
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return lower;
}

bool is_legal_name(std::string_view lower) noexcept {
  return !lower.empty() && std::all_of(lower.begin(), lower.end(), [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           character == '-' || character == '_' || character == '.';
  });
}

bool is_legal_value(std::string_view name, std::string_view value) noexcept {
  bool legal = true;
  for (const char each : value) legal &= each >= 0x20 && each <= 0x7E;
  return legal || name.ends_with(binary_suffix);
}

Error refusal(std::string_view name, std::string_view why) {
  std::string text = "branch header '";
  text.append(name).append("' cannot be sent over gRPC: ").append(why);
  return make_error(Errc::invalid_request, std::move(text));
}

Result<> check_value(std::string_view name, std::string_view value) {
  if (!is_legal_value(name, value)) return refusal(name, "its value is not printable ASCII");
  return ok();
}

Result<> check_header(const std::string& name, const std::string& lower, const std::string& value) {
  if (is_among(not_in_http2, lower)) return refusal(name, "HTTP/2 has no such header");
  if (!is_legal_name(lower)) {
    return refusal(name, "a name consists of letters, digits, '-', '_' and '.'");
  }
  return check_value(lower, value);
}

Result<> add_header(GrpcMetadata& metadata, const std::string& name, const std::string& value) {
  const std::string lower = to_lower(name);
  if (is_among(written_by_transport, lower) || is_for_coordinators(lower)) return ok();
  CONCERTO_CHECK(check_header(name, lower, value));
  metadata.add(lower, value);
  return ok();
}

}  // namespace

Result<> check_metadata(const BranchCall& call) {
  const std::pair<const char*, std::string_view> texts[] = {
      {"gid", call.gid->view()}, {"branch_id", call.branch_id}, {"op", call.op}};
  for (const auto& [field, text] : texts) {
    if (is_legal_value(field, text)) continue;
    return make_error(Errc::invalid_request, std::string{field} + " '" + std::string{text} +
                                                 "' cannot be sent over gRPC: it is not "
                                                 "printable ASCII");
  }
  for (const auto& [name, value] : *call.headers) {
    const std::string lower = to_lower(name);
    if (is_among(passed_over, lower)) continue;
    if (is_among(written_by_transport, lower)) return refusal(name, "the transport says so itself");
    if (is_for_coordinators(lower)) return refusal(name, for_coordinators);
    CONCERTO_CHECK(check_header(name, lower, value));
  }
  return ok();
}

Result<GrpcMetadata> branch_metadata(const BranchCall& call) {
  GrpcMetadata metadata;
  metadata.reserve(own_fields + call.headers->size(), own_field_bytes + call.gid->view().size());
  CONCERTO_CHECK(check_value(gid_name, call.gid->view()));
  CONCERTO_CHECK(check_value(branch_id_name, call.branch_id));
  CONCERTO_CHECK(check_value(op_name, call.op));
  metadata.add(gid_name, call.gid->view());
  // These fields have few values, which most transactions share.
  metadata.add_repeated(trans_type_name, call.mode->name);
  metadata.add_repeated(branch_id_name, call.branch_id);
  metadata.add_repeated(op_name, call.op);
  metadata.add_repeated("dtm-dtm", "");
  for (const auto& [name, value] : *call.headers) {
    if (call.trace != nullptr && is_traceparent(name)) {
      metadata.add(traceparent_name, call.trace->str());
    } else {
      CONCERTO_CHECK(add_header(metadata, name, value));
    }
  }
  return metadata;
}

ReceivedCall received_call(const GrpcMetadata& metadata) {
  const auto value = [&](std::string_view name) {
    return std::string{metadata.find(name).value_or(std::string_view{})};
  };
  return {value(gid_name), value(trans_type_name), value(branch_id_name), value(op_name)};
}

}  // namespace concerto::net
