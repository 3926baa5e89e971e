#include "mode.hpp"

namespace concerto {

const ModeTable& ModeTable::standard() {
  static const ModeTable table(
      {&modes::saga, &modes::msg, &modes::tcc, &modes::xa, &modes::workflow});
  return table;
}

const Mode* ModeTable::find(TransType type) const noexcept {
  for (const Mode* mode : modes_) {
    if (mode->type == type) return mode;
  }
  return nullptr;
}

const Mode* ModeTable::find(std::string_view name) const noexcept {
  for (const Mode* mode : modes_) {
    if (mode->name == name) return mode;
  }
  return nullptr;
}

std::string timeout_reason(const TransView& view) {
  return "Timeout after " + std::to_string(view.timeout.count()) + " seconds";
}

Result<> add_registered_row(const BranchRequest& request, const std::string& op,
                            const std::string& url_field, std::vector<Branch>& rows) {
  Branch row;
  row.branch_id = BranchId(request.branch_id);
  row.op = op;
  if (const auto url = request.fields.find(url_field); url != request.fields.end()) {
    if (url->second.size() > url_bytes_max) {
      return make_error(Errc::invalid_entry,
                        url_field + " has " + std::to_string(url->second.size()) +
                            " bytes, at most " + std::to_string(url_bytes_max) + " are allowed");
    }
    row.url = url->second;
  }
  rows.push_back(std::move(row));
  return ok();
}

std::string step_branch_id(std::size_t step_number) {
  const std::string digits = std::to_string(step_number);
  return digits.size() < 2 ? "0" + digits : digits;
}

}  // namespace concerto
