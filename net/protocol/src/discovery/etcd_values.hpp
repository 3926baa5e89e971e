#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace etcdserverpb {
class RangeResponse;
class WatchResponse;
}  // namespace etcdserverpb

namespace concerto::net {

/// The keys below a prefix of etcd with their values, as in etcd's answers. Only the first keys_max
/// keys, in etcd's order, are used.
class EtcdValues {
 public:
  using Map = std::map<std::string, std::string>;  ///< from key to value

  /// Further keys are not used. They are read when fewer than half of so many are left.
  static constexpr std::size_t keys_max = 4'000;

  /// Takes the answer with all keys. True if etcd has lost data since the last answer, because its
  /// revision went back. The values that were known before are then kept as former values.
  bool read(const etcdserverpb::RangeResponse& response);
  /// Takes the changes that a watch reports.
  void apply(const etcdserverpb::WatchResponse& response);
  void forget_former() noexcept { former_.clear(); }

  /// All values that are used, including former ones.
  Map all() const;
  const Map& current() const noexcept { return current_; }
  bool has_former() const noexcept { return !former_.empty(); }
  std::size_t size() const noexcept { return current_.size() + former_.size(); }
  std::int64_t revision() const noexcept { return revision_; }
  /// True if etcd has more keys than are used.
  bool has_more() const noexcept { return has_more_; }
  /// True if there are more keys and room for them: then the keys should be read again.
  bool wants_more() const noexcept { return has_more_ && current_.size() < keys_max / 2; }

 private:
  void put(const std::string& key, const std::string& value);

  Map current_;
  Map former_;  ///< from the time before etcd lost its data
  std::int64_t revision_ = 0;
  bool has_more_ = false;
};

}  // namespace concerto::net
