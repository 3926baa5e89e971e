#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>

namespace concerto::net {

/// How URLs of gRPC branches are read and how the coordinator makes itself known: the
/// configuration's MicroService.Driver (protocol page 06, section 4). One per process.
enum class Driver {
  standard,  ///< `default`: `host:port/pkg.Service/Method`; registers nothing
  gozero,    ///< `dtm-driver-gozero`: also `etcd://`, `discov://`, `direct:///`, `dns:///`
};

/// The driver of this name. An error says which of the protocol's drivers is not in this version
/// (not_supported), or that there is none with this name (invalid_request).
[[nodiscard]] Result<Driver> parse_driver(std::string_view name);

/// The URL of a gRPC branch in its two parts.
struct GrpcUrl {
  std::string target;  ///< what to connect to: `host:port`, `etcd://h:2379/order.rpc`
  std::string method;  ///< the full path of the gRPC method: `/pkg.Service/Method`
};

/// Splits the URL of a gRPC branch. Errors (invalid_request) have the protocol's texts where it
/// defines one. Whether the target can be resolved is not looked at.
[[nodiscard]] Result<GrpcUrl> parse_grpc_url(Driver driver, std::string_view url);

}  // namespace concerto::net
