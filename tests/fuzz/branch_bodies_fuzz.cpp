// Bodies of registerBranch. Every text that was read is UTF-8, and no field is there twice.

#include <concerto/base/utf8.hpp>

#include "api/request_json.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {

void branch_bodies(std::string_view input) {
  const auto request = net::branch_request_from_json(input);
  if (!request) {
    require(request.error().code == Errc::invalid_request && !request.error().detail.empty());
    return;
  }
  for (const std::string* text :
       {&request->gid.str(), &request->trans_type, &request->branch_id, &request->payload}) {
    require(is_utf8(*text));
  }
  for (const auto& [name, value] : request->fields) require(is_utf8(name) && is_utf8(value));
}

}  // namespace concerto::fuzz
