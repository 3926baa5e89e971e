#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/export.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

/// Server reflection, grpc.reflection.v1 and v1alpha, for services whose descriptors are linked
/// into the program. It must outlive the server's drain.
class CONCERTO_EXPORT GrpcReflection {
 public:
  /// `services` are full names (`dtmgimp.Dtm`) that the generated pool knows. The services of
  /// health and reflection are listed only if they are named here.
  explicit GrpcReflection(std::vector<std::string> services);

  /// Says why a stream is refused, or nothing if it is served.
  using Guard = std::function<std::optional<GrpcStatus>(const GrpcServerStream&)>;

  /// Registers ServerReflectionInfo in both versions. Without a guard all streams are served.
  void register_on(GrpcServer& server, Guard guard = {});

 private:
  template <class Request, class Response>
  Task<GrpcStatus> serve(GrpcServerStream& stream);

  std::vector<std::string> services_;
  Guard guard_;
};

}  // namespace concerto::net
