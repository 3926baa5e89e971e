#pragma once

/// UBSan's check of dynamic types opens a pipe to see whether an object can be read. Without a pipe
/// it takes the object for a broken one. So a test that leaves no descriptor fails under UBSan,
/// whatever the program does.
#if defined(__SANITIZE_ADDRESS__)  // The presets have both or none.
#define CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS 0
#else
#define CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS 1
#endif
