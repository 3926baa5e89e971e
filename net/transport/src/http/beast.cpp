// Only this file compiles the definitions of Beast and Asio.SSL.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
