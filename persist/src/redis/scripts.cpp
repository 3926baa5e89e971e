#include "scripts.hpp"

#include <array>
#include <cstdio>
#include <initializer_list>

#include <openssl/sha.h>

#include "change_scripts.hpp"
#include "check_scripts.hpp"
#include "claim_scripts.hpp"
#include "read_scripts.hpp"

namespace concerto::persist {
namespace {

ScriptText made(std::initializer_list<std::string_view> parts) {
  ScriptText script;
  script.text = script_start;
  for (const std::string_view part : parts) script.text += part;
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
      made({create_first, common, reads_text, create_text}),
      made({update_first, common, reads_text, check_text, update_text}),
      made({healthy_text, load_first, common, reads_text, check_text, load_text}),
      made({rest_text, claim_first, common, reads_text, check_text, show_text, claim_text}),
      made({common, reads_text, check_text, show_text, claim_due_text}),
      made({common, reads_text, renew_text}),
      made({common, reads_text, check_text, let_go_text}),
      made({resting_text}),
      made({common, reads_text, kv_create_text}),
      made({common, reads_text, kv_update_text}),
      made({unindexed_text}),
      made({common, reads_text, index_text}),
      made({common, reads_text, forget_text}),
      made({common, reads_text, owner_text}),
      made({common, reads_text, in_work_text}),
      made({trial_text}),
      made({healthy_text, load_many_text}),
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
