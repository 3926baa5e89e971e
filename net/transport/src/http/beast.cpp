// The one place that compiles Beast's and Asio.SSL's definitions.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
