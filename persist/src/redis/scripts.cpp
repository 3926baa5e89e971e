#include "scripts.hpp"

#include <array>
#include <cstdio>

#include <openssl/sha.h>

#include "change_scripts.hpp"
#include "claim_scripts.hpp"

namespace concerto::persist {
namespace {

ScriptText made(std::string_view text, bool shows = false) {
  ScriptText script;
  script.text = common;
  if (shows) script.text += show_text;
  script.text += text;
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(script.text.data()), script.text.size(), digest);
  for (const unsigned char byte : digest) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", byte);
    script.sha += hex;
  }
  return script;
}

/// In the order of the enumerators.
const auto& scripts() {
  static const std::array all{
      made(create_text),      made(update_text),          made(load_text),
      made(claim_text, true), made(claim_due_text, true), made(renew_text),
      made(let_go_text),      made(reset_due_text),       made(kv_create_text),
      made(kv_update_text),   made(unindexed_text),       made(index_text),
      made(forget_text),      made(owner_text),           made(in_work_text),
  };
  return all;
}

}  // namespace

const ScriptText& script(Script which) {
  return scripts()[static_cast<std::size_t>(which)];
}

std::span<const ScriptText> all_scripts() {
  return scripts();
}

}  // namespace concerto::persist
