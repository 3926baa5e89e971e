#pragma once

/// CONCERTO_EXPORT marks what a shared library of Concerto shows to programs; everything else in it
/// is hidden. The libraries define CONCERTO_SHARED for themselves and for their users when they are
/// built as shared libraries. In a static library the macro is empty, so that a shared library of
/// yours that contains it does not show Concerto's names.
#ifdef CONCERTO_SHARED
#define CONCERTO_EXPORT __attribute__((visibility("default")))
#else
#define CONCERTO_EXPORT
#endif
