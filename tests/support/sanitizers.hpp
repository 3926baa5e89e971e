#pragma once

/// UBSan's check of dynamic types opens a pipe to see whether an object can be read, and takes an
/// object for a broken one when it gets none: a test that leaves no descriptor fails under it
/// whatever the program does.
#if defined(__SANITIZE_ADDRESS__)  // The presets have both or none.
#define CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS 0
#else
#define CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS 1
#endif
