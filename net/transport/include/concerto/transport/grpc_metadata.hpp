#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/export.hpp>

namespace concerto::net {

/// Metadata of a call: names with values, in order. Names may repeat. All bytes are in one block.
///
/// Names are stored in lower case. If a name ends in `-bin`, its value may be any bytes; base64 is
/// used only on the wire. Other values are printable ASCII: the transport refuses to send anything
/// else, with INTERNAL.
class CONCERTO_EXPORT GrpcMetadata {
 public:
  struct Entry {
    std::string_view name;
    std::string_view value;
  };

  GrpcMetadata() = default;

  void add(std::string_view name, std::string_view value);

  /// Adds a field that other calls of the connection have too. HPACK remembers the field, so that
  /// later it takes one byte and almost no time.
  void add_repeated(std::string_view name, std::string_view value);

  /// Makes room for this many further fields with this many bytes.
  void reserve(std::size_t fields, std::size_t bytes);

  /// The first value of `name` (given in lower case).
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return places_.size(); }
  bool empty() const noexcept { return places_.empty(); }
  /// The views are valid until the metadata changes.
  Entry operator[](std::size_t index) const noexcept;
  /// Whether add_repeated has added the field.
  bool is_repeated(std::size_t index) const noexcept { return places_[index].repeated; }
  void clear() noexcept;

  class Iterator {
   public:
    Iterator(const GrpcMetadata& metadata, std::size_t index) noexcept
        : metadata_(&metadata), index_(index) {}
    Entry operator*() const noexcept { return (*metadata_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const GrpcMetadata* metadata_;
    std::size_t index_;
  };

  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, size()}; }

 private:
  struct Place {
    std::uint32_t start;
    std::uint32_t name_bytes;
    std::uint32_t value_bytes;
    bool repeated;
  };

  void append(std::string_view name, std::string_view value, bool repeated);

  std::string bytes_;
  std::vector<Place> places_;
};

}  // namespace concerto::net
