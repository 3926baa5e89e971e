// Groups of records as in the store's log. Records follow each other within the group, and a record
// of which any bit was changed is not read.

#include "fuzz_target.hpp"
#include "leveldb/record.hpp"

namespace concerto::fuzz {

void store_groups(std::string_view input) {
  using namespace persist;
  auto offset = first_record(input);
  if (!offset) return;
  require(*offset <= input.size());
  for (std::size_t begin = *offset;; begin = *offset) {
    const auto record = read_record(input, *offset);
    if (!record) return;
    require(*offset > begin && *offset <= input.size());
    require(*offset - begin >= record_header_bytes + record->payload.size());
    require(record->payload.size() <= record_bytes_max);
    std::string damaged{input.substr(0, *offset)};
    Dice dice(input.size() + begin);
    damaged[begin + dice.below(damaged.size() - begin)] ^= static_cast<char>(1 << dice.below(8));
    std::size_t at = begin;
    require(!read_record(damaged, at));
  }
}

}  // namespace concerto::fuzz
