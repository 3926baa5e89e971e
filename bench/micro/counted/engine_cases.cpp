// The coordinator alone, with a store and branches that only answer.

#include <concerto/persist/memory_store.hpp>

#include "engine_case.hpp"

namespace concerto::bench {

std::vector<CountedRow> engine_cases() {
  return {{"engine/saga", 2'000, make_case<SubmitCase<saga, NullStore, 1>>},
          {"engine/msg", 2'000, make_case<SubmitCase<msg, NullStore, 1>>},
          {"engine/memory", 2'000, make_case<SubmitCase<saga, persist::MemoryStore, 64>>}};
}

}  // namespace concerto::bench
