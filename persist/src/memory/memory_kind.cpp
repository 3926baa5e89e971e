#include "memory_kind.hpp"

#include <concerto/persist/memory_store.hpp>

namespace concerto::persist {

StoreKind memory_kind() {
  StoreKind kind;
  kind.name = "memory";
  kind.open = [](const StoreSettings&, const Clock&,
                 Observer&) -> Result<std::unique_ptr<ManagedStore>> {
    return std::unique_ptr<ManagedStore>(std::make_unique<MemoryStore>());
  };
  return kind;
}

}  // namespace concerto::persist
