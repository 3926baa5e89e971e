#include <algorithm>
#include <array>
#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/protocol/grpc_url.hpp>
#include <concerto/protocol/target_url.hpp>

namespace concerto::net {
namespace {

constexpr std::array<std::string_view, 6> other_drivers = {
    "dtm-driver-kratos", "dtm-driver-polaris",     "dtm-driver-ego",
    "dtm-driver-dapr",   "dtm-driver-springcloud", "dtm-driver-sponge"};

Error bad_url(std::string_view url, std::string_view reason) {
  return make_error(Errc::invalid_request,
                    "bad url: '" + masked_url(url) + "'. " + std::string(reason));
}

/// `target/pkg.Service/Method`, without a scheme.
Result<GrpcUrl> split_plain(std::string_view url) {
  const std::size_t slash = url.find('/');
  if (slash == url.npos) return bad_url(url, "no '/' found");
  GrpcUrl parts;
  parts.target = url.substr(0, slash);
  parts.method = url.substr(slash);
  return parts;
}

/// Removes the parameters that URLs of consul and nacos have between target and method.
Result<std::string> without_parameters(std::string_view url) {
  const std::size_t question = url.find('?');
  const bool has_parameters =
      question != url.npos && (url.find("consul") != url.npos || url.find("nacos") != url.npos);
  if (!has_parameters) return std::string(url);
  const std::size_t slash = url.find('/', question);
  // A second '?' ends the URL: what follows is not a part of the method.
  const std::size_t end = std::min(url.find('?', question + 1), url.size());
  if (slash >= end) return bad_url(url, "no '/' found");
  return std::string(url.substr(0, question)) + std::string(url.substr(slash, end - slash));
}

Result<GrpcUrl> split_gozero(std::string_view url) {
  if (url.find("//") == url.npos) return split_plain(url);
  CONCERTO_TRY(const std::string plain, without_parameters(url));
  auto parsed = parse_target_url(plain);
  if (!parsed) return bad_url(url, parsed.error().detail);
  if (parsed->path.empty()) return bad_url(url, "no '/' found");
  if (parsed->path == "/") return bad_url(url, "no method");
  // The first segment of the path belongs to the target, if there is a second one.
  const std::size_t second = parsed->path.find('/', 1);
  const std::size_t split = second == std::string::npos ? 0 : second;
  GrpcUrl parts;
  const std::string& user_info = parsed->user_info;
  parts.target = parsed->scheme + "://" + (user_info.empty() ? "" : user_info + "@") +
                 parsed->host + parsed->path.substr(0, split);
  parts.method = parsed->path.substr(split);
  return parts;
}

}  // namespace

Result<Driver> parse_driver(std::string_view name) {
  if (name == "default") return Driver::standard;
  if (name == "dtm-driver-gozero") return Driver::gozero;
  if (std::find(other_drivers.begin(), other_drivers.end(), name) != other_drivers.end()) {
    return make_error(Errc::not_supported,
                      "MicroService.Driver '" + std::string(name) + "' is not in this version");
  }
  return make_error(Errc::invalid_request, "MicroService.Driver: no dtm driver with name: " +
                                               std::string(name) + " has been registered");
}

Result<GrpcUrl> parse_grpc_url(Driver driver, std::string_view url) {
  if (driver == Driver::gozero) return split_gozero(url);
  if (url.find("://") != url.npos) {
    return make_error(
        Errc::invalid_request,
        "call dtmdriver.Use() before you use custom scheme for '" + masked_url(url) +
            "': MicroService.Driver is 'default'; dtm-driver-gozero takes URLs with a scheme");
  }
  return split_plain(url);
}

}  // namespace concerto::net
