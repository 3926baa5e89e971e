#pragma once

#include <string>
#include <utility>

#include <concerto/base/export.hpp>
#include <concerto/transport/grpc_metadata.hpp>
#include <concerto/transport/grpc_status.hpp>

namespace concerto::net {

/// The end of a call: a handler returns it, and a caller gets it.
struct CONCERTO_EXPORT GrpcReply {
  GrpcStatus status;
  std::string message;    ///< of a unary call that ended with ok
  GrpcMetadata metadata;  ///< sent before the message
  GrpcMetadata trailers;  ///< sent with the status
  /// For a caller: false if it is certain that the server did not see the call.
  bool sent = true;

  bool ok() const noexcept { return status.ok(); }

  static GrpcReply success(std::string message) {
    GrpcReply reply;
    reply.message = std::move(message);
    return reply;
  }
  static GrpcReply failure(GrpcCode code, std::string text) {
    GrpcReply reply;
    reply.status.code = code;
    reply.status.message = std::move(text);
    return reply;
  }
};

/// The error of a reply that is not ok.
inline Error to_error(const GrpcReply& reply) {
  return to_error(reply.status, reply.sent);
}

}  // namespace concerto::net
