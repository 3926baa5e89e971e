#include <concerto/transport/grpc_metadata.hpp>

namespace concerto::net {

void GrpcMetadata::add(std::string_view name, std::string_view value) {
  append(name, value, false);
}

void GrpcMetadata::add_repeated(std::string_view name, std::string_view value) {
  append(name, value, true);
}

void GrpcMetadata::reserve(std::size_t fields, std::size_t bytes) {
  places_.reserve(places_.size() + fields);
  bytes_.reserve(bytes_.size() + bytes);
}

void GrpcMetadata::append(std::string_view name, std::string_view value, bool repeated) {
  const std::size_t start = bytes_.size();
  bytes_ += name;
  for (std::size_t i = start; i < bytes_.size(); ++i) {
    char& c = bytes_[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  bytes_ += value;
  places_.push_back({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size()), repeated});
}

std::optional<std::string_view> GrpcMetadata::find(std::string_view name) const noexcept {
  for (const Entry entry : *this) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

GrpcMetadata::Entry GrpcMetadata::operator[](std::size_t index) const noexcept {
  const Place& place = places_[index];
  const std::string_view bytes = bytes_;
  return {bytes.substr(place.start, place.name_bytes),
          bytes.substr(place.start + place.name_bytes, place.value_bytes)};
}

void GrpcMetadata::clear() noexcept {
  bytes_.clear();
  places_.clear();
}

}  // namespace concerto::net
