#include <concerto/net/grpc_metadata.hpp>

namespace concerto::net {

void GrpcMetadata::add(std::string_view name, std::string_view value) {
  const auto start = static_cast<std::uint32_t>(bytes_.size());
  for (const char c : name) bytes_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  bytes_ += value;
  places_.push_back(
      {start, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
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
