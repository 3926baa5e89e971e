#pragma once

#include <functional>
#include <string>
#include <vector>

#include <concerto/transport/http_router.hpp>

namespace concerto::tools {

/// What operators and their machines look at: metrics, probes and the admin page. Serves all
/// shards; it outlives their servers.
class OpsPages {
 public:
  struct Sources {
    std::function<Task<std::string>()> metrics;
    /// Why the process should be restarted, or should get no requests; empty when all is well.
    /// Called on any shard.
    std::function<std::vector<std::string>()> not_live;
    std::function<std::vector<std::string>()> not_ready;
    /// What an operator should look at before it becomes a reason.
    std::function<std::vector<std::string>()> warnings;
    std::string admin_base;  ///< AdminBasePath, as `/dtm`
  };

  explicit OpsPages(Sources sources) : sources_(std::move(sources)) {}

  void register_on(net::Router& router) const;

 private:
  Task<net::HttpResponse> metrics() const;

  const Sources sources_;
};

}  // namespace concerto::tools
