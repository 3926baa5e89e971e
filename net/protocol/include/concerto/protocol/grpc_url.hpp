#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// The configuration's MicroService.Driver (protocol page 06, section 4). It says how URLs of gRPC
/// branches are read and where the coordinator registers. A process has one driver.
enum class Driver {
  standard,  ///< `default`: `host:port/pkg.Service/Method`; registers nothing
  gozero,    ///< `dtm-driver-gozero`: also `etcd://`, `discov://`, `direct:///`, `dns:///`
};

/// The driver of this name. Errors: not_supported if the protocol has the driver but this version
/// does not, invalid_request if there is no driver of this name.
[[nodiscard]] CONCERTO_EXPORT Result<Driver> parse_driver(std::string_view name);

/// The two parts of a gRPC branch's URL.
struct GrpcUrl {
  std::string target;  ///< where to connect: `host:port`, `etcd://h:2379/order.rpc`
  std::string method;  ///< the full path of the gRPC method: `/pkg.Service/Method`
};

/// Splits the URL of a gRPC branch. Errors (invalid_request) have the protocol's text if the
/// protocol defines one. The function does not check whether the target has addresses.
[[nodiscard]] CONCERTO_EXPORT Result<GrpcUrl> parse_grpc_url(Driver driver, std::string_view url);

}  // namespace concerto::net
