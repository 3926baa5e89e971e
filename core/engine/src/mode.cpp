#include <concerto/base/assert.hpp>
#include <concerto/engine/mode.hpp>

namespace concerto {

ModeTable::ModeTable(std::vector<const Mode*> modes) : modes_(std::move(modes)) {
  for (const Mode* mode : modes_) {
    CONCERTO_ASSERT(is_mode_number(mode->type));
    CONCERTO_ASSERT(!mode->name.empty());
    CONCERTO_ASSERT(mode->next != nullptr && mode->effect != nullptr);
    // A second mode with the same type or name would never be found.
    CONCERTO_ASSERT(find(mode->type) == mode);
    CONCERTO_ASSERT(find(mode->name) == mode);
  }
}

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

std::string_view ModeTable::name_of(TransType type) const noexcept {
  const Mode* mode = find(type);
  return mode != nullptr ? mode->name : std::string_view("unknown");
}

std::string ModeTable::names(bool (*wanted)(const Mode& mode)) const {
  std::vector<std::string_view> found;
  for (const Mode* mode : modes_) {
    if (wanted == nullptr || wanted(*mode)) found.push_back(mode->name);
  }
  std::string text;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) text += i + 1 < found.size() ? ", " : " and ";
    text += found[i];
  }
  return text;
}

std::string timeout_reason(const TransView& view) {
  return "Timeout after " + std::to_string(view.timeout.count()) + " seconds";
}

Result<> add_registered_row(const BranchRequest& request, std::string_view op,
                            std::string_view url_field, std::vector<Branch>& rows) {
  Branch row;
  row.branch_id = BranchId(request.branch_id);
  row.op = op;
  if (const auto url = request.fields.find(std::string(url_field)); url != request.fields.end()) {
    if (url->second.size() > url_bytes_max) {
      return make_error(EngineErrc::invalid_entry,
                        url->first + " has " + std::to_string(url->second.size()) +
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
