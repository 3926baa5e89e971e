#pragma once

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

  /// Registers ServerReflectionInfo in both versions.
  void register_on(GrpcServer& server);

 private:
  template <class Request, class Response>
  Task<GrpcStatus> serve(GrpcServerStream& stream);

  std::vector<std::string> services_;
};

}  // namespace concerto::net
