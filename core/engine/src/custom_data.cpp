#include <concerto/engine/custom_data.hpp>
#include <concerto/engine/mode.hpp>

namespace concerto {

Error bad_custom_data(std::string_view text) {
  return make_error(Errc::invalid_request, "custom_data: " + std::string(text));
}

std::string shown_value(JsonValue value) {
  if (const auto number = value.whole_number()) return std::to_string(*number);
  return std::string(describe(value.kind()));
}

Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                     std::size_t step_count) {
  CustomData data;
  if (text.empty() || mode.read_custom == nullptr) return data;
  JsonTree tree;
  if (const Result<> parsed = tree.parse(text); !parsed) {
    return bad_custom_data(parsed.error().detail);
  }
  const JsonValue object = tree.root();
  if (object.is(JsonKind::null)) return data;
  if (!object.is(JsonKind::object)) return bad_custom_data("not a JSON object");
  CONCERTO_CHECK(mode.read_custom(object, step_count, data));
  return data;
}

Result<CustomData> parse_custom_data(const Mode& mode, std::string_view text,
                                     const Transaction& stored) {
  return parse_custom_data(mode, text, stored.branches.size() / mode.rows_per_step);
}

}  // namespace concerto
