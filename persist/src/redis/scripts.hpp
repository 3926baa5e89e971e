#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace concerto::persist {

/// The Lua scripts; each is one atomic operation. change_scripts.hpp, claim_scripts.hpp and
/// read_scripts.hpp say what each takes and returns.
enum class Script : std::uint8_t {
  create,
  update,
  load,
  claim,
  claim_due,
  renew,
  let_go,
  resting,
  kv_create,
  kv_update,
  unindexed,
  index,
  forget,
  owner,
  in_work,
  trial,
  load_many,
};

/// A script's text and its SHA-1 in hexadecimal, by which Redis knows it once it was loaded.
struct ScriptText {
  std::string text;
  std::string sha;
};

const ScriptText& script(Script which);
std::span<const ScriptText> all_scripts();

}  // namespace concerto::persist
