// Compiles Asio's definitions, once for all libraries (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
