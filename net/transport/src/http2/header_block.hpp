#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/container/small_vector.hpp>
#include <nghttp2/nghttp2.h>

namespace concerto::net::http2 {

/// The fields of one header block to be sent. Holds views, so it lives only for one submit call.
class HeaderBlock {
 public:
  /// Name and value must be literals or live as long as the stream.
  void add_fixed(std::string_view name, std::string_view value) {
    add(name, value, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
  }

  /// The value may occur again on this connection, so HPACK indexes it.
  void add_repeated(std::string_view name, std::string_view value) {
    add(name, value, NGHTTP2_NV_FLAG_NONE);
  }

  /// The value is unlikely to occur again. HPACK does not index it, as that would push out others.
  void add_varying(std::string_view name, std::string_view value) {
    add(name, value, NGHTTP2_NV_FLAG_NO_INDEX);
  }

  const nghttp2_nv* data() const noexcept { return fields_.data(); }
  std::size_t size() const noexcept { return fields_.size(); }

 private:
  void add(std::string_view name, std::string_view value, unsigned flags) {
    // nghttp2 does not change them.
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    fields_.push_back(
        {bytes(name), bytes(value), name.size(), value.size(), static_cast<std::uint8_t>(flags)});
  }

  boost::container::small_vector<nghttp2_nv, 24> fields_;
};

}  // namespace concerto::net::http2
