// Which key is meant by a name that is none.
#include <algorithm>

#include <concerto/base/edit_distance.hpp>

#include "config_keys.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t typos_max = 2;
/// A shorter name may mean anything, and it may stand in sections of others too.
constexpr std::size_t telling_bytes_min = 6;
constexpr std::size_t unique_bytes_min = 8;

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0.
}

/// Empty for a key of the top level.
std::string_view section_of(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view first_word(std::string_view variable) {
  return variable.substr(0, variable.find('_'));
}

}  // namespace

const KeyRow* KeyTable::find(std::string_view path) const noexcept {
  const auto row = std::ranges::find(rows_, path, &KeyRow::path);
  return row == rows_.end() ? nullptr : &*row;
}

std::string_view KeyTable::nearest(std::string_view path) const {
  const auto distance = [path](const KeyRow& row) { return edit_distance(path, row.path); };
  const auto nearest = std::ranges::min_element(rows_, {}, distance);
  const std::string_view name = last_part(path);
  if (distance(*nearest) <= std::max(typos_max, name.size() / 3)) return nearest->path;
  for (const KeyRow& row : rows_) {
    const std::string_view section = section_of(row.path);
    if (section.empty()) continue;
    if (edit_distance(path, section) <= path.size() / 3) return section;
  }
  // The key may stand outside its section, or inside a section although it belongs to none.
  for (const KeyRow& row : rows_) {
    if (edit_distance(name, last_part(row.path)) == 0) return row.path;
  }
  return {};
}

bool KeyTable::is_own_section(std::string_view section) const {
  bool is_there = false;
  for (const KeyRow& row : rows_) {
    if (section.empty() || section_of(row.path) != section) continue;
    if (is_key_of_reference(row.path)) return false;
    is_there = true;
  }
  return is_there;
}

std::string_view KeyTable::own_key_like(std::string_view path) const {
  std::string_view meant;
  std::size_t least = typos_max + 1;
  std::size_t least_of_reference = least;
  const auto look = [&](std::string_view name, bool is_own) {
    if (path.size() > name.size() + typos_max) return;
    const std::size_t distance = edit_distance(path, name);
    if (!is_own) least_of_reference = std::min(least_of_reference, distance);
    if (!is_own || distance >= least) return;
    least = distance;
    meant = name;
  };
  const bool is_vague = !section_of(path).empty() && last_part(path).size() < telling_bytes_min;
  for (const KeyRow& row : rows_) {
    if (!is_vague) look(row.path, !is_key_of_reference(row.path));
    const std::string_view section = section_of(row.path);
    if (!section.empty()) look(section, is_own_section(section));
  }
  if (!meant.empty() && least <= least_of_reference) return meant;
  // A key outside its section, as after a wrong indent.
  const std::string_view name = last_part(path);
  if (name.size() < unique_bytes_min) return {};
  for (const KeyRow& row : rows_) {
    if (protects(row) && edit_distance(name, last_part(row.path)) == 0) return row.path;
  }
  return {};
}

bool KeyTable::protects(const KeyRow& row) const {
  return is_own_section(section_of(row.path)) || row.path == "TargetAllow" ||
         row.path == "TargetDeny" || row.path == "AllowedHosts" || row.path == "ListenAddress";
}

bool KeyTable::needs_value(const KeyRow& row) const {
  // An empty ListenAddress or TargetDeny has a meaning, and the check of the others says more.
  constexpr std::string_view others[] = {"ListenAddress", "TargetDeny", "Auth.JwtIssuer",
                                         "Auth.JwtAudience"};
  return protects(row) && std::ranges::find(others, row.path) == std::end(others) &&
         is_blank(key_text(Config{}, row));
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t,") == std::string_view::npos;
}

std::vector<std::string> misspelt_variables(std::span<const std::string> names,
                                            const KeyTable& keys) {
  std::vector<std::string> warnings;
  const auto is_known = [&keys](const std::string& name) {
    return std::ranges::any_of(keys.rows(),
                               [&name](const KeyRow& row) { return env_name(row.path) == name; });
  };
  for (const KeyRow& row : keys.rows()) {
    if (!keys.protects(row)) continue;
    const std::string variable = env_name(row.path);
    for (const std::string& name : names) {
      if (name.size() > variable.size() + typos_max) continue;
      if (edit_distance(first_word(name), first_word(variable)) != 0) continue;
      if (edit_distance(name, variable) > typos_max || is_known(name)) continue;
      warnings.push_back("nothing reads the environment variable " + name + "; " + variable +
                         " was probably meant");
    }
  }
  return warnings;
}

}  // namespace concerto::tools
