#pragma once

#include <functional>
#include <string>

#include <concerto/protocol/gated_router.hpp>

namespace concerto::tools {

/// The web console (tools/console), below AdminBasePath: one page at all its views, with its
/// script, style and icon, and `admin/console.json`, which tells the page what the server has and
/// what the caller may do. One object serves all shards; it must outlive their servers.
class ConsolePages {
 public:
  /// `base` is AdminBasePath, as `/dtm`, or empty.
  /// `node`: who this coordinator is in a shared store, or empty; called on any shard. May be
  /// empty itself.
  explicit ConsolePages(std::string base, std::function<std::string()> node = {});

  void register_on(net::GatedRouter& router) const;

 private:
  /// A file, as it is sent to clients that accept gzip and to others.
  struct File {
    net::HttpResponse plain;
    net::HttpResponse packed;
  };

  const net::HttpResponse& find(const net::HttpRequest& request) const;
  net::HttpResponse facts(const net::Gate& gate, const net::HttpRequest& request,
                          const RequestContext& context) const;

  const std::string base_;
  const std::function<std::string()> node_;
  const File page_;
  const File script_;
  const File style_;
  const File icon_;
};

}  // namespace concerto::tools
