#include "redis_promise.hpp"

#include <charconv>

#include <concerto/base/counted.hpp>

namespace concerto::persist {
namespace {

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// What a crash of the server or its machine takes; empty: nothing.
std::string lost_by_a_crash(const RedisFacts& facts, const ReplicaWait& wait) {
  if (facts.append_only == false) {
    return "a crash of Redis loses the changes since its last snapshot (appendonly is no)";
  }
  if (wait.on_disk) return {};  // An answer comes after the sync, whatever appendfsync is.
  if (!facts.append_only || !facts.append_fsync) {
    return "it is not known what a crash of Redis loses: the server does not tell appendonly or "
           "appendfsync";
  }
  if (*facts.append_fsync == "always") return {};
  if (*facts.append_fsync == "everysec") {
    return "a power failure of Redis's machine may lose the changes of the last two seconds "
           "(appendfsync is everysec)";
  }
  return "a power failure of Redis's machine may lose the changes of the last half minute or more "
         "(appendfsync is " +
         *facts.append_fsync + ")";
}

}  // namespace

void RedisFacts::read_info(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon), value = line.substr(colon + 1);
    if (name == "redis_version") version = value;
    if (name == "aof_enabled") append_only = value == "1";
    if (name == "connected_slaves") replicas = number_in(value);
    if (name == "maxmemory") memory_max = number_in(value);
    if (name == "maxmemory_policy") eviction = value;
  }
}

RedisPromise promise_of(const RedisFacts& facts, const ReplicaWait& wait) {
  RedisPromise promise;
  if (std::string lost = lost_by_a_crash(facts, wait); !lost.empty()) {
    promise.warnings.push_back(std::move(lost));
  }
  if (facts.replicas > 0 && wait.replicas == 0) {
    promise.warnings.push_back(
        "a failover to a replica may lose the changes that the replica did not have yet "
        "(Store.RedisWaitReplicas is 0)");
  }
  if (facts.memory_max > 0 && !facts.eviction.empty() && facts.eviction != "noeviction") {
    promise.warnings.push_back(
        "with a full memory Redis removes transactions that are not finished (maxmemory-policy "
        "is " +
        facts.eviction + "; set it to noeviction)");
  }
  promise.text = "Redis " + facts.version + ": ";
  if (promise.warnings.empty()) {
    promise.text += "acknowledged changes survive a crash";
    if (wait.replicas > 0) {
      promise.text +=
          ", and are on " + counted(static_cast<std::uint64_t>(wait.replicas), "replica");
    }
    return promise;
  }
  promise.text += "acknowledged changes may be lost";
  for (const std::string& warning : promise.warnings) promise.text += "; " + warning;
  return promise;
}

}  // namespace concerto::persist
