#pragma once

// Which lock guards what, said so that Clang checks it (-Wthread-safety, an error in the preset
// `clang`). GCC reads nothing here.

#if defined(__clang__)
#define CONCERTO_THREAD_ANNOTATION(...) __attribute__((__VA_ARGS__))
#else
#define CONCERTO_THREAD_ANNOTATION(...)
#endif

/// A class whose objects are locks, and one whose objects hold a lock while they live.
#define CONCERTO_LOCK_CLASS CONCERTO_THREAD_ANNOTATION(capability("mutex"))
#define CONCERTO_LOCK_HOLDER CONCERTO_THREAD_ANNOTATION(scoped_lockable)

/// A member that is read and written with the lock held; or a pointer to what is.
#define CONCERTO_GUARDED_BY(...) CONCERTO_THREAD_ANNOTATION(guarded_by(__VA_ARGS__))

/// A function that is called with the lock held; or without it, for it takes the lock itself.
#define CONCERTO_REQUIRES(...) CONCERTO_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CONCERTO_EXCLUDES(...) CONCERTO_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

/// A function that takes the lock, one that lets go of it, and one that is only called with it.
#define CONCERTO_ACQUIRE(...) CONCERTO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CONCERTO_RELEASE(...) CONCERTO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define CONCERTO_ASSERT_HELD(...) CONCERTO_THREAD_ANNOTATION(assert_capability(__VA_ARGS__))

/// A function that Clang does not check. The reason stands beside it.
#define CONCERTO_NOT_CHECKED CONCERTO_THREAD_ANNOTATION(no_thread_safety_analysis)
