// Names of keys: those of the reference, and those of the environment.
#include <algorithm>

#include "config_keys.hpp"

namespace concerto::tools {
namespace {

// Keys of older versions of the reference, and of its samples.
constexpr std::string_view unread_keys[] = {"GrpcBalancer", "Store.BranchTransOpTable",
                                            "Store.TransBranchOpTable", "Store.TransGlobalTable"};

constexpr std::string_view reference_numbers[] = {"Store.Port",
                                                  "Store.MaxOpenConns",
                                                  "Store.MaxIdleConns",
                                                  "Store.ConnMaxLifeTime",
                                                  "Store.DataExpire",
                                                  "Store.FinishedDataExpire",
                                                  "TransCronInterval",
                                                  "TimeoutToFail",
                                                  "RetryInterval",
                                                  "RequestTimeout",
                                                  "HttpPort",
                                                  "GrpcPort",
                                                  "JsonRpcPort",
                                                  "UpdateBranchSync",
                                                  "UpdateBranchAsyncGoroutineNum",
                                                  "Log.RotationEnable",
                                                  "ConfigUpdateInterval",
                                                  "AlertRetryLimit"};

constexpr std::string_view reference_texts[] = {"Store.Driver",
                                                "Store.Host",
                                                "Store.User",
                                                "Store.Password",
                                                "Store.Db",
                                                "Store.Schema",
                                                "Store.RedisPrefix",
                                                "MicroService.Driver",
                                                "MicroService.Target",
                                                "MicroService.EndPoint",
                                                "HttpMicroService.Driver",
                                                "HttpMicroService.RegistryType",
                                                "HttpMicroService.RegistryAddress",
                                                "HttpMicroService.RegistryOptions",
                                                "HttpMicroService.Target",
                                                "HttpMicroService.EndPoint",
                                                "LogLevel",
                                                "Log.Outputs",
                                                "Log.RotationConfigJSON",
                                                "TimeZoneOffset",
                                                "AlertWebHook",
                                                "AdminBasePath",
                                                "GrpcServiceConfig"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

bool is_unread_key(std::string_view path) {
  return std::ranges::find(unread_keys, path) != std::end(unread_keys);
}

bool is_key_of_reference(std::string_view path) {
  return is_number_of_reference(path) || is_unread_key(path) ||
         std::ranges::find(reference_texts, path) != std::end(reference_texts);
}

bool is_number_of_reference(std::string_view path) {
  return std::ranges::find(reference_numbers, path) != std::end(reference_numbers);
}

std::string env_name(std::string_view path) {
  std::string name;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '.') {
      name += '_';
      continue;
    }
    const bool after_lower = i > 0 && is_lower(path[i - 1]);
    const bool ends_acronym =
        i > 0 && is_upper(path[i - 1]) && i + 1 < path.size() && is_lower(path[i + 1]);
    if (is_upper(c) && (after_lower || ends_acronym)) name += '_';
    name += is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

}  // namespace concerto::tools
