// A process that embeds Concerto: it opens a store and asks it for a transaction, on an
// io_context of its own.
#include <cstdio>
#include <cstdlib>

#include <concerto/core/task_group.hpp>
#include <concerto/persist/memory_store.hpp>

namespace {

using namespace concerto;

Task<void> look_up(Store& store, bool& answered) {
  const Gid gid{"embedded-1"};
  const auto found = co_await store.load(gid);
  answered = found && !found->has_value();
}

}  // namespace

int main() {
  asio::io_context shard{1};
  persist::MemoryStore store;
  bool answered = false;
  TaskGroup tasks{shard.get_executor()};
  tasks.spawn(look_up(store, answered));
  shard.run();
  std::puts(answered ? "the embedded store answers" : "no answer from the embedded store");
  return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
