#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace concerto::net {

/// Reads the records that arrive before a handshake of TLS has keys, beside OpenSSL, which
/// allocates what a message announces: up to 128 KiB for a ClientHello. There may be two of them:
/// the server asks for another one with a HelloRetryRequest.
class HelloCheck {
 public:
  /// Takes the next bytes of a client. Returns what is wrong with them, and then is not called
  /// again; empty if nothing is.
  std::string take(std::string_view wire);

 private:
  template <std::size_t N>
  struct Header {
    std::array<unsigned char, N> bytes{};
    std::size_t count = 0;

    /// Moves bytes to the header. True once it is complete.
    bool take(std::string_view& from) noexcept;
  };

  std::string begin_record();
  std::string take_messages(std::string_view fragment);

  Header<5> record_;               ///< type, version, length
  Header<4> message_;              ///< type, length; it may begin in one record and end in another
  std::size_t record_bytes_ = 0;   ///< that are still to come
  std::size_t message_bytes_ = 0;  ///< that are still to come
  bool is_first_record_ = true;
};

}  // namespace concerto::net
