// etcd's answers: keys that were read, changes of keys, and the addresses in their values.

#include <etcd_rpc.pb.h>

#include "discovery/etcd_client.hpp"
#include "discovery/etcd_values.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

void check_address(const std::string& value) {
  const auto host = parse_host_port(value);
  require(host ? host->port > 0 && !host->host.empty() : !host.error().detail.empty());
}

void check_prefix(const std::string& prefix) {
  const std::string end = etcd_prefix_end(prefix);

  require(prefix < end && prefix + "\xff\xff" < end);
}

}  // namespace

void etcd_answers(std::string_view input) {
  const std::string bytes{input};
  const auto read = parse_etcd<etcdserverpb::RangeResponse>(bytes, "Range");
  const auto change = parse_etcd<etcdserverpb::WatchResponse>(bytes, "Watch");
  EtcdValues values;
  if (read) {
    require(!values.read(*read) || read->header().revision() < 0);
    require(values.current().size() <= static_cast<std::size_t>(read->kvs_size()));
    require(!values.has_former());
    EtcdValues again;
    again.read(*read);
    require(!again.read(*read) && again.current() == values.current());
  }
  if (change) {
    const std::int64_t before = values.revision();
    values.apply(*change);
    require(values.revision() >= before);
    const EtcdValues::Map once = values.current();
    values.apply(*change);
    require(values.current() == once || values.has_more());
  }
  require(values.size() <= EtcdValues::keys_max && values.all() == values.current());
  for (const auto& [key, value] : values.current()) {
    check_prefix(key + "/");
    check_address(value);
  }
}

}  // namespace concerto::fuzz
