#pragma once

#include <boost/asio/io_context.hpp>

/// A library of this program that uses Asio and knows nothing of Concerto. It is compiled without
/// what Concerto's package asks for.
///
/// Starts three parts on `io`, each of which raises `ended`.
void start_own_asio(boost::asio::io_context& io, int& ended);

/// Whether the error says that the peer has closed the connection.
bool is_end(const boost::system::error_code& error);
