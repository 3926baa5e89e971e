#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <concerto/transport/address_set.hpp>
#include <concerto/transport/grpc_metadata.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Who makes a request that came from `peer`: the peer, unless it is one of `proxies`. A proxy
/// appends to `X-Forwarded-For` from whom it has the request, so the field is read from its end,
/// and each address in it counts only if a proxy has written it. The first address that is no
/// proxy's is the client's; what is written before it, the client may have made up. A part that is
/// no address ends the walk, as if the field began behind it. A client without a known port has
/// the port 0.
boost::asio::ip::tcp::endpoint client_of(const boost::asio::ip::tcp::endpoint& peer,
                                         const HttpHeaders& headers, const AddressSet& proxies);
boost::asio::ip::tcp::endpoint client_of(const boost::asio::ip::tcp::endpoint& peer,
                                         const GrpcMetadata& metadata, const AddressSet& proxies);

}  // namespace concerto::net
