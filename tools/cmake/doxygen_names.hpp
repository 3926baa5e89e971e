// For Doxygen alone (the target docs): the templates of Boost that headers of ours specialise. It
// has to know their namespace.
#pragma once

namespace boost::system {
template <class Enum>
struct is_error_code_enum;
template <class Enum>
struct is_error_condition_enum;
}  // namespace boost::system
