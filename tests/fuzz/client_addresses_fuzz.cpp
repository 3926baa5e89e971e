// What proxies say about clients: the header of the PROXY protocol, in any pieces, and
// X-Forwarded-For. The division into pieces does not matter, and no byte behind a header is taken.
// Only trusted proxies are read, and whatever a client writes, a proxy's word about it counts.

#include <algorithm>
#include <optional>
#include <string>

#include "api/forwarded.hpp"
#include "fuzz_target.hpp"
#include "proxy_header.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

struct Read {
  bool is_refused = false;
  std::size_t taken = 0;
  std::optional<tcp::endpoint> client;
  bool operator==(const Read&) const = default;
};

Read read_header(std::string_view bytes, std::size_t step) {
  ProxyHeaderReader reader;
  Read read;
  while (reader.wanted() > 0 && read.taken < bytes.size()) {
    const auto part = bytes.substr(read.taken, std::min(step, reader.wanted()));
    read.taken += part.size();
    require(read.taken <= ProxyHeaderReader::bytes_max);
    if (!reader.take(part)) {
      read.is_refused = true;
      read.taken = 0;  // How much was read until then depends on the pieces.
      return read;
    }
  }
  read.client = reader.client();
  require(!read.client || reader.wanted() == 0);
  return read;
}

void check_forwarded(std::string_view value) {
  const AddressSet proxies = AddressSet::parse("10.0.0.0/8").value();
  const tcp::endpoint proxy{make_address("10.0.0.1"), 80};
  const tcp::endpoint client{make_address("192.0.2.7"), 0};
  HttpHeaders written;
  written.add("X-Forwarded-For", value);
  require(client_of(client, written, proxies) == client);
  require(!client_of(proxy, written, proxies).address().is_unspecified());
  HttpHeaders appended;
  appended.add("X-Forwarded-For", std::string{value} + ", 192.0.2.7");
  require(client_of(proxy, appended, proxies) == client);
  written.add("X-Forwarded-For", "192.0.2.7, 10.0.0.2");
  require(client_of(proxy, written, proxies) == client);
}

}  // namespace

void client_addresses(std::string_view input) {
  const Read whole = read_header(input, ProxyHeaderReader::bytes_max);
  require(read_header(input, 1) == whole);
  require(read_header(input, 5) == whole);
  check_forwarded(input);
}

}  // namespace concerto::fuzz
