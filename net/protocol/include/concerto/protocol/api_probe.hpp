#pragma once

#include <map>
#include <string>
#include <string_view>

#include <concerto/base/probe.hpp>

namespace concerto::net {

/// Requests of one front end by API, which the metrics endpoint only reads. The entries are made
/// before the front end serves; then one shard counts, and any thread reads.
class ApiProbe {
 public:
  struct Entry {
    Counter ok;
    Counter failed;  ///< HTTP 400 and above, a gRPC status other than OK
    TimeHistogram took;

    void add(bool is_ok, std::chrono::nanoseconds time) noexcept {
      (is_ok ? ok : failed).add();
      took.add(time);
    }
  };

  /// The entry of an API, made if there is none; its address stays.
  Entry& entry(std::string_view api) { return entries_[std::string(api)]; }

  const std::map<std::string, Entry>& entries() const noexcept { return entries_; }

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace concerto::net
