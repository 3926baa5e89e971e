#include "access_print.hpp"

#include <string_view>

#include <concerto/protocol/route_table.hpp>

#include "access_files.hpp"
#include "ops_paths.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view access_head = "# who\tfront end\tmethod\tname\n";

/// The roles of callers that may use such a route. An operator has all roles.
std::string_view roles_of(net::RouteRole role) {
  switch (role) {
    case net::RouteRole::anyone:
      return "anyone";
    case net::RouteRole::callers:
      return "client,viewer,operator";
    case net::RouteRole::clients:
      return "client,operator";
    case net::RouteRole::viewers:
      return "viewer,operator";
    case net::RouteRole::operators:
      return "operator";
  }
  return {};
}

class AccessLines {
 public:
  void add(net::RouteRole role, std::string_view front_end, std::string_view method,
           std::string_view name) {
    text_.append(roles_of(role)).append("\t").append(front_end).append("\t");
    text_.append(method).append("\t").append(name).append("\n");
  }

  /// A route in all front ends that offer it.
  void add(const net::Route& route) {
    for (std::string_view rest = route.methods; !rest.empty();) {
      const std::size_t size = rest.find(' ');
      add(route.role, "http", rest.substr(0, size), route.path);
      rest = size == std::string_view::npos ? std::string_view{} : rest.substr(size + 1);
    }
    if (!route.rpc.empty()) add(route.role, "json-rpc", "POST", route.rpc);
    if (!route.grpc.empty()) add(route.role, "grpc", "", "dtmgimp.Dtm/" + std::string{route.grpc});
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_{access_head};
};

}  // namespace

std::string print_access(const Config& config) {
  AccessLines lines;
  for (const net::Route& route : net::RouteTable::standard().rows()) lines.add(route);
  lines.add(net::RouteRole::operators, "http", "POST", backup_path);
  lines.add(net::RouteRole::viewers, "http", "GET", backup_path);
  if (const auto role = role_for(config.auth.metrics)) {
    for (const std::string_view path : metrics_paths) lines.add(*role, "http", "GET", path);
  }
  for (const std::string_view path : {live_path, ready_path}) {
    lines.add(net::RouteRole::anyone, "http", "GET", path);
  }
  for (const char* page : {"/", "/admin/*"}) {
    if (!config.admin.console) break;
    lines.add(net::RouteRole::anyone, "http", "GET", config.admin_base_path + page);
  }
  for (const char* method : {"Check", "Watch"}) {
    lines.add(net::RouteRole::anyone, "grpc", "", std::string{"grpc.health.v1.Health/"} + method);
  }
  if (const auto role = role_for(config.auth.reflection)) {
    for (const char* version : {"v1", "v1alpha"}) {
      lines.add(
          *role, "grpc", "",
          std::string{"grpc.reflection."} + version + ".ServerReflection/ServerReflectionInfo");
    }
  }
  return lines.take();
}

}  // namespace concerto::tools
