#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Limits for every JSON text, so that reading takes time and memory linear in the text's length.
inline constexpr std::size_t json_depth_max = 1'000;
inline constexpr std::size_t json_values_max = 500'000;
/// A number with a longer text keeps only its value, not its text.
inline constexpr std::size_t json_number_text_bytes_max = 1'000;

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,   ///< of 64 bits with a sign
  natural,   ///< an integer that fits into 64 bits only without a sign
  fraction,  ///< any other number
  text,
  array,
  object,
};

/// The name of a kind for people: `a string`, `an array`.
CONCERTO_EXPORT std::string_view describe(JsonKind kind) noexcept;

/// A value in a JsonTree. The tree has to outlive the value. Each getter requires the kind of value
/// that it returns.
class CONCERTO_EXPORT JsonValue {
 public:
  struct Number {
    union {
      std::int64_t integer;
      std::uint64_t natural;
      double fraction;
    };
    const char* digits;  ///< as written in the text, with sign and exponent
  };

  /// A value, and its name if the value is a member of an object.
  struct Node {
    std::string_view key;
    union {
      std::string_view text;
      Number number;
      bool boolean;
    };
    std::uint32_t nodes = 1;  ///< this value and all values in it, which follow it
    JsonKind kind = JsonKind::null;
    std::uint16_t number_bytes = 0;  ///< length of `digits`; 0 if the text is too long

    Node() : text() {}
  };

  class Iterator {
   public:
    explicit Iterator(const Node* node) noexcept : node_(node) {}
    JsonValue operator*() const noexcept { return JsonValue{node_}; }
    Iterator& operator++() noexcept {
      node_ += node_->nodes;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Node* node_;
  };

  explicit JsonValue(const Node* node) noexcept : node_(node) {}

  JsonKind kind() const noexcept { return node_->kind; }
  bool is(JsonKind kind) const noexcept { return node_->kind == kind; }
  /// The name, if the value is a member of an object; otherwise empty.
  std::string_view key() const noexcept { return node_->key; }
  bool boolean() const noexcept { return node_->boolean; }
  std::int64_t integer() const noexcept { return node_->number.integer; }
  std::uint64_t natural() const noexcept { return node_->number.natural; }
  double fraction() const noexcept { return node_->number.fraction; }
  std::string_view text() const noexcept { return node_->text; }
  /// A number as written in the text, for answers that must repeat the number exactly: `1.0` and
  /// `1e999` have no other exact form. Empty if the text is longer than json_number_text_bytes_max.
  std::string_view number_text() const noexcept {
    return node_->number_bytes == 0 ? std::string_view{}
                                    : std::string_view{node_->number.digits, node_->number_bytes};
  }

  /// The elements of an array, or the members of an object in their order, repeated names included.
  /// Empty for all other values.
  Iterator begin() const noexcept { return Iterator{node_ + 1}; }
  Iterator end() const noexcept { return Iterator{node_ + node_->nodes}; }

  /// The number of values in an array or an object, at any depth.
  std::size_t inner_values() const noexcept { return node_->nodes - 1; }

  /// The member of an object with this name; the last one if the name is repeated. Goes through all
  /// members.
  std::optional<JsonValue> find(std::string_view name) const noexcept;
  /// The value of a number without a fraction, in any spelling (`12`, `12.0`, `1.2e1`).
  std::optional<std::int64_t> whole_number() const noexcept;

 private:
  const Node* node_;
};

/// One JSON text as a list of its values. The names of members are neither hashed nor sorted, so
/// names that a client has chosen to collide cost no more than others. A reader that needs members
/// by name goes through all members once.
class CONCERTO_EXPORT JsonTree {
 public:
  JsonTree() = default;
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  /// Reads `text`, which has to outlive the tree. The error invalid_request says what is wrong and
  /// at which byte. After an error the tree is empty, and `parse` may be called with another text.
  Result<> parse(std::string_view text);

  /// The value of the whole text, after a successful `parse`.
  JsonValue root() const noexcept { return JsonValue{nodes_.data()}; }

 private:
  friend class JsonHandler;

  std::array<std::byte, 4096> first_block_;
  std::pmr::monotonic_buffer_resource memory_{first_block_.data(), first_block_.size()};
  std::pmr::vector<JsonValue::Node> nodes_{&memory_};
};

}  // namespace concerto
