#pragma once

#include <map>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/base/probe.hpp>

namespace concerto::net {

/// Counts the requests of one front end, by operation; the metrics page only reads the counts. All
/// entries are made before the front end serves. After that, one shard counts, and any thread may
/// read.
class CONCERTO_EXPORT ApiProbe {
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

  /// The entry of an operation; made if there is none. Its address stays valid.
  Entry& entry(std::string_view api) { return entries_[std::string(api)]; }

  const std::map<std::string, Entry>& entries() const noexcept { return entries_; }

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace concerto::net
