#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>

namespace concerto {

/// Limits of every JSON text that is read, so that its time and memory are linear in its length.
inline constexpr std::size_t json_depth_max = 1'000;
inline constexpr std::size_t json_values_max = 500'000;
/// The text of a longer number is not kept beside its value.
inline constexpr std::size_t json_number_text_bytes_max = 1'000;

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,   ///< of 64 bits with a sign
  natural,   ///< an integer that only fits without a sign
  fraction,  ///< any other number
  text,
  array,
  object,
};

/// What a value of this kind is, for people: `a string`, `an array`.
std::string_view describe(JsonKind kind) noexcept;

/// A value within a JsonTree, which has to outlive it. Each getter wants its kind.
class JsonValue {
 public:
  struct Number {
    union {
      std::int64_t integer;
      std::uint64_t natural;
      double fraction;
    };
    const char* digits;  ///< as they are written, with sign and exponent
  };

  /// A value with its name, where it is a member of an object.
  struct Node {
    std::string_view key;
    union {
      std::string_view text;
      Number number;
      bool boolean;
    };
    std::uint32_t nodes = 1;  ///< with those within it, which follow it
    JsonKind kind = JsonKind::null;
    std::uint16_t number_bytes = 0;  ///< of `digits`; 0 for too many

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
  /// The name of a member of an object; empty elsewhere.
  std::string_view key() const noexcept { return node_->key; }
  bool boolean() const noexcept { return node_->boolean; }
  std::int64_t integer() const noexcept { return node_->number.integer; }
  std::uint64_t natural() const noexcept { return node_->number.natural; }
  double fraction() const noexcept { return node_->number.fraction; }
  std::string_view text() const noexcept { return node_->text; }
  /// A number as it is written, for what has to be given back as it came: `1.0` and `1e999` have
  /// no other exact form. Empty when it is longer than json_number_text_bytes_max.
  std::string_view number_text() const noexcept {
    return node_->number_bytes == 0 ? std::string_view{}
                                    : std::string_view{node_->number.digits, node_->number_bytes};
  }

  /// The elements of an array, or the members of an object in their order, names that repeat
  /// included; none of anything else.
  Iterator begin() const noexcept { return Iterator{node_ + 1}; }
  Iterator end() const noexcept { return Iterator{node_ + node_->nodes}; }

  /// All values within an array or an object, at any depth.
  std::size_t inner_values() const noexcept { return node_->nodes - 1; }

  /// The member of an object with this name, the last one if it repeats. Looks at all of them.
  std::optional<JsonValue> find(std::string_view name) const noexcept;
  /// Of a number without a fraction, however it is written (`12`, `12.0`, `1.2e1`).
  std::optional<std::int64_t> whole_number() const noexcept;

 private:
  const Node* node_;
};

/// One JSON text as a list of its values. Nothing in it is hashed or sorted, so that chosen names
/// cost no more than others: who wants members by name goes through them once.
class JsonTree {
 public:
  JsonTree() = default;
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  /// Reads `text`, which has to outlive the tree. Error invalid_request says what is wrong, at
  /// which byte; the tree is then empty, and may be tried with another text.
  Result<> parse(std::string_view text);

  /// Of a text that was parsed.
  JsonValue root() const noexcept { return JsonValue{nodes_.data()}; }

 private:
  friend class JsonHandler;

  std::array<std::byte, 4096> first_block_;
  std::pmr::monotonic_buffer_resource memory_{first_block_.data(), first_block_.size()};
  std::pmr::vector<JsonValue::Node> nodes_{&memory_};
};

}  // namespace concerto
