#pragma once

#include <type_traits>

namespace concerto {

/// `T`, deduced for an argument `T&&`, is a temporary that owns something, such as a lambda that
/// has captured a string. GCC 12 destroys such a temporary twice in an expression with co_await, so
/// functions that are awaited do not take it: give it a name first.
template <class T>
concept OwningTemporary =
    !std::is_lvalue_reference_v<T> && !std::is_trivially_destructible_v<std::remove_cvref_t<T>>;

}  // namespace concerto
