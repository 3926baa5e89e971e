#pragma once

#include <string>
#include <vector>

#include <concerto/engine/store.hpp>

namespace concerto {

/// The category of topics in the key-value part of a store; the key is the topic's name.
inline constexpr const char* topic_category = "topics";

/// The URLs of a topic's subscribers. Error store_damaged.
Result<std::vector<std::string>> subscribers_in(const KvRecord& record);

}  // namespace concerto
