// Log files of the store's databases. The complete records are found again if the rest is cut off,
// and space that was zeroed ahead changes nothing.

#include "fuzz_target.hpp"
#include "leveldb/log_scan.hpp"

namespace concerto::fuzz {

void store_logs(std::string_view input) {
  using namespace persist;
  const std::string bytes{input};
  const LogContent content = read_log(bytes);
  require(content.good_bytes + content.torn_bytes <= bytes.size());
  require((content.first_group == 0) == (content.last_group == 0));
  require(content.first_group <= content.last_group);

  const LogContent whole = read_log(bytes.substr(0, content.good_bytes));
  require(whole.damage.empty() && whole.torn_bytes == 0);
  require(whole.good_bytes == content.good_bytes);
  require(whole.first_group == content.first_group && whole.last_group == content.last_group);
  if (!content.damage.empty() || content.torn_bytes > 0) return;

  constexpr std::size_t zeroed_bytes = 40'000;
  const LogContent zeroed =
      read_log(bytes.substr(0, content.good_bytes) + std::string(zeroed_bytes, '\0'));
  require(zeroed.damage.empty() && zeroed.torn_bytes == 0);
  require(zeroed.last_group == content.last_group);
}

}  // namespace concerto::fuzz
